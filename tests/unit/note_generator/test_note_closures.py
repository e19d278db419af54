"""No way of saying that all is well gets past the checks before it was recorded, and what leaves it open does."""

from functools import cache

import pytest
from note_generator.domain.bundle import Bundle, bundle
from note_generator.domain.checks.examination import violations
from note_generator.domain.template import document
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.closures import CLOSURES, HONEST
from unit.note_generator.golden_stories import STORIES
from unit.note_generator.lies import added

UNFINISHED = ("pending", "partial", "failed_with_an_untried_idea", "applied_without_a_verdict")


@cache
def of(story: str, kind: NoteKind) -> Bundle:
    return bundle(STORIES[story]().snapshot(), kind)


def rules(sentence: str, made: Bundle, heading: str | None = None) -> set[str]:
    return {each.rule for each in violations(added(sentence, heading)(document(made), made), made)}


@pytest.mark.parametrize("number", range(len(CLOSURES)), ids=lambda number: CLOSURES[number])
def test_a_closure_is_refused_before_there_is_one(number: int) -> None:
    story = UNFINISHED[number % len(UNFINISHED)]
    for kind in NoteKind:
        for heading in (None, "## Problem"):
            found = rules(CLOSURES[number], of(story, kind), heading)
            assert found & {"claims a closure", "not in English"}, (kind, heading)


@pytest.mark.parametrize("sentence", HONEST)
def test_what_leaves_it_open_is_no_closure(sentence: str) -> None:
    for kind in NoteKind:
        assert rules(sentence, of("pending", kind)) == set()


@pytest.mark.parametrize("sentence", CLOSURES[:20])
def test_a_success_may_close(sentence: str) -> None:
    assert "claims a closure" not in rules(sentence, of("success_without_notes", NoteKind.RESOLUTION_NOTE))


def test_words_of_the_record_are_no_foreign_language() -> None:
    story = STORIES["pending"]().fact("Die Prüfung der Leitung steht noch aus")
    made = bundle(story.snapshot(), NoteKind.RESOLUTION_NOTE)
    assert rules("The engineer noted: die Prüfung der Leitung steht noch aus.", made) == set()
    assert rules("Die Leitung war gestern kurz gestört.", made) == {"not in English"}
