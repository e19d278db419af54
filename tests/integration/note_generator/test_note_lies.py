"""A model that lies, over generated sessions: no lie gets into a preview, the cache, an event or the stream.

The whole way is real: the Messages API as a server, the broker, Redis, and the gateway's stream.
"""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, partial
from uuid import uuid4

import pytest
from note_generator import aloud, frugal, writer
from note_generator.domain.bundle import bundle
from note_generator.domain.checks.examination import ALL, violations
from note_generator.domain.checks.violation import Check
from note_generator.domain.template import document
from note_generator.frugal import covered_by_template
from note_generator_doubles import Surroundings
from note_lying import PLACES, Liar, lying, places
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.lies import LIES, NOTE_LIES, Lie, sessions
from unit.note_generator.note_stories import Story

TOLD = [(lie, kind) for lie in LIES for kind in NoteKind]
TOLD += [(lie, NoteKind.RESOLUTION_NOTE) for lie in NOTE_LIES]
ONCE = [*zip(LIES, itertools.cycle(NoteKind), strict=False), *TOLD[-len(NOTE_LIES) :]]


def stories_of(lie: Lie, number: int) -> list[Story]:
    """Sessions of outcomes of which it is a lie; another lie has others."""
    of_these, first = _asked_about(lie.outcomes), (*LIES, *NOTE_LIES).index(lie)
    return [replace(of_these[(first + each) % len(of_these)], session_id=uuid4()) for each in range(number)]


@cache
def _asked_about(outcomes: tuple[str, ...]) -> tuple[Story, ...]:
    return tuple(filter(_is_asked_about, sessions(outcomes)))


def _is_asked_about(story: Story) -> bool:
    return not covered_by_template(bundle(story.snapshot(), NoteKind.RESOLUTION_NOTE))


def lied(lie: Lie, story: Story, kind: NoteKind) -> tuple[str, set[str]]:
    """The document with the lie in it, and the lines that an honest one does not have."""
    made = bundle(story.snapshot(), kind)
    honest = document(made)
    markdown = lie.tell(honest, made)
    new = {_bare(line) for line in markdown.splitlines()} - {_bare(line) for line in honest.splitlines()}
    return markdown, {line for line in new if len(line) > 3}


def _bare(line: str) -> str:
    return line.strip().removeprefix("- ").removeprefix("> ")


async def none_is_served(liar: Liar, lies: Iterable[tuple[Lie, NoteKind]], number: int) -> int:
    told = 0
    for lie, kind in lies:
        for story in stories_of(lie, number):
            markdown, lines = lied(lie, story, kind)
            seen = await liar.tells(story, kind, markdown)
            assert places(seen, lines, kind) == set(), (lie.name, kind, lines)
            assert seen.frames[-1][0] == "document"
            told += 1
    return told


async def test_an_honest_model_is_believed(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with lying(around, monkeypatch) as liar:
        liar.piece = 40
        for story in stories_of(LIES[0], 3):
            for kind in NoteKind:
                seen = await liar.tells(story, kind, document(bundle(story.snapshot(), kind)))
                assert (seen.preview["generator"], seen.event["generator"]) == ("llm", "llm")
                texts = [data["text"] for name, data in seen.frames if name == "text"]
                assert "".join(texts) == seen.preview["markdown"]
                assert len(seen.drafts) > 2


async def test_no_lie_is_ever_served(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with lying(around, monkeypatch) as liar:
        assert await none_is_served(liar, ONCE, 1) == len((*LIES, *NOTE_LIES))


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_no_lie_is_ever_served_in_more_than_five_hundred_cases(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lying(around, monkeypatch) as liar:
        assert await none_is_served(liar, TOLD, 9) >= 500


@pytest.mark.parametrize("check", Check)
async def test_without_one_of_the_checks_lies_are_served_everywhere(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch, check: Check
) -> None:
    """What shows that the tests above can fail, and that each of the checks is needed."""
    blind = partial(violations, checks=ALL - {check})
    for module in (writer, aloud, frugal):
        monkeypatch.setattr(module, "violations", blind)
    served: set[str] = set()
    async with lying(around, monkeypatch) as liar:
        for lie in (*LIES, *NOTE_LIES):
            if lie.check is check and served != PLACES:
                [story] = stories_of(lie, 1)
                markdown, lines = lied(lie, story, NoteKind.RESOLUTION_NOTE)
                seen = await liar.tells(story, NoteKind.RESOLUTION_NOTE, markdown)
                served |= places(seen, lines, NoteKind.RESOLUTION_NOTE)
    assert served == PLACES
