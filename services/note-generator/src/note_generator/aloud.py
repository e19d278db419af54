"""A text that is shown while it is written: each sentence once it has passed what can be checked by then."""

from collections.abc import Awaitable, Callable
from typing import Final

from shared.contracts.views import NoteSoFar

from note_generator.domain.bundle import Bundle
from note_generator.domain.checks.examination import violations
from note_generator.domain.wording import ROOT_CAUSE
from note_generator.domain.written import Writing, isolated

_ANEW: Final = "the model began anew"

Show = Callable[[NoteSoFar], Awaitable[None]]
"""Lets be seen how far a note is."""


async def unseen(_: NoteSoFar) -> None:
    """Nobody looks."""


class Aloud:
    """What stands of one note. A text that turns out to be wrong stops growing, and is dropped with the reasons."""

    def __init__(self, bundle: Bundle, show: Show) -> None:
        self._bundle, self._show = bundle, show
        self._standing = NoteSoFar()

    async def hear(self, writing: Writing) -> None:
        """Show what has been handed in so far, if nothing is wrong with it."""
        decided = isolated(_decided(writing), self._bundle)
        text = decided.markdown
        if not decided.sections or violations(text, self._bundle, writing=decided, whole=False):
            return
        replaced = self._standing.replaced if text.startswith(self._standing.text) else (_ANEW,)
        await self._put(NoteSoFar(text=text, replaced=replaced))

    async def drop(self, *reasons: str) -> None:
        """Nothing of it stands any more."""
        if self._standing.text:
            await self._put(NoteSoFar(replaced=reasons))

    async def _put(self, standing: NoteSoFar) -> None:
        if standing != self._standing:
            self._standing = standing
            await self._show(standing)


def _decided(writing: Writing) -> Writing:
    """Whether a root cause has support is known when all its sentences are."""
    unfinished = writing.sections[-1:] and writing.sections[-1].heading == ROOT_CAUSE
    return Writing(writing.sections[:-1]) if unfinished else writing
