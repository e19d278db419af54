"""A model that writes plain documents which agree with the record, and remembers what it was given."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from messages_api import MessagesApi, Said, handed_in, said
from note_generator.domain.wording import HEADINGS
from shared.contracts.vocabulary import NoteKind

VERDICTS = {
    "applied_pending": "Applied, awaiting verification.",
    "applied_partial": "Partly applied so far; the rest is next.",
    "applied_failed": "The fix did not solve it; the search continues.",
    "applied_success": "The fix was applied and it worked.",
    "dismissed": "The fix was not applied.",
}
NO_VERDICT = "A fix is suggested; whether it was applied is not yet known to have helped."


@dataclass(frozen=True)
class Call:
    """What the model was given, and for which document."""

    kind: NoteKind
    text: str


class Model:
    """Answers at once, unless it is held back."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.url = ""
        self._held, self._held_from = "", 0
        self._lied_about = ""
        self._free = asyncio.Event()
        self._free.set()

    def about(self, words: str) -> list[Call]:
        """The calls whose record holds these words."""
        return [call for call in self.calls if words in call.text]

    @contextmanager
    def held_back(self, words: str, *, from_piece: int = 0) -> Iterator[None]:
        """Nothing whose record holds these words is answered, from a piece on, until this ends; the rest is."""
        self._free.clear()
        self._held, self._held_from = words, from_piece
        try:
            yield
        finally:
            self._free.set()

    @contextmanager
    def lying(self, words: str) -> Iterator[None]:
        """Whatever was recorded with these words, everything works again."""
        self._lied_about = words
        try:
            yield
        finally:
            self._lied_about = ""

    async def answer(self, request: dict[str, Any]) -> Said:
        call = Call(_kind(json.dumps(request["system"])), request["messages"][0]["content"])
        self.calls.append(call)

        async def pause(piece: int) -> None:
            if piece == self._held_from and self._held in call.text:
                await self._free.wait()

        await pause(0)
        written = _document(call)
        if self._lied_about and self._lied_about in call.text:
            written += "\n\nEverything works again."
        return said(handed_in(written), between=pause)


@asynccontextmanager
async def serving() -> AsyncIterator[Model]:
    """A model behind the Messages API, on a port of the loopback interface."""
    model = Model()
    async with MessagesApi(model.answer).serving() as api:
        model.url = api.url
        yield model


def _kind(instructions: str) -> NoteKind:
    wanted = (kind for kind, headings in HEADINGS.items() if all(each in instructions for each in headings))
    return next(wanted)


def _document(call: Call) -> str:
    status = re.search(r"Outcome status: (\w+)", call.text)
    recorded = re.search(r"Recorded words, to be repeated exactly:\n\| (.*)", call.text)
    verdict = VERDICTS.get(status[1] if status else "", NO_VERDICT)
    deciding = f"{verdict}\n\n> {recorded[1]}" if recorded else verdict
    texts = {"## Resolution": deciding, "## Current hypothesis": deciding}
    return "\n\n".join(
        f"{heading}\n\n{texts.get(heading, 'As in the record.')}" for heading in HEADINGS[call.kind]
    )
