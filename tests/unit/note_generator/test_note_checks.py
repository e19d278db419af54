"""Over generated sessions: an honest document passes every check, and no lie passes the one that is for it."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from note_generator.domain.bundle import Bundle, bundle
from note_generator.domain.checks.examination import ALL, violations
from note_generator.domain.checks.violation import Check
from note_generator.domain.template import document
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.lies import LIES, NOTE_LIES, Lie, cases, sessions
from unit.note_generator.note_stories import Story

NOTE, PACKAGE = NoteKind.RESOLUTION_NOTE, NoteKind.ESCALATION_PACKAGE
EACH = 10
TOLD_OF = dict.fromkeys(LIES, (NOTE, PACKAGE)) | dict.fromkeys(NOTE_LIES, (NOTE,))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(story=cases(), kind=st.sampled_from(NoteKind))
def test_the_template_is_honest_whatever_was_recorded(story: Story, kind: NoteKind) -> None:
    made = bundle(story.snapshot(), kind)
    assert violations(document(made), made) == ()


@pytest.mark.parametrize("lie", TOLD_OF, ids=lambda lie: lie.name)
def test_no_lie_passes_and_without_its_check_it_would(lie: Lie) -> None:
    """10 sessions for each lie, in each document; once with all checks, once without the one that finds it."""
    first = list(TOLD_OF).index(lie)
    for kind in TOLD_OF[lie]:
        among = honest(lie.outcomes, kind)
        for made, text in (among[(first + number) % len(among)] for number in range(EACH)):
            markdown = lie.tell(text, made)
            assert markdown != text
            assert lie.check in {each.check for each in violations(markdown, made)}
            assert lie.check is Check.SHAPE or violations(markdown, made, checks=ALL - {lie.check}) == ()


@cache
def honest(outcomes: tuple[str, ...], kind: NoteKind) -> tuple[tuple[Bundle, str], ...]:
    """Generated sessions with their documents, made once for all lies."""
    made = [bundle(story.snapshot(), kind) for story in sessions(outcomes)]
    return tuple((each, document(each)) for each in made)


def test_more_than_five_hundred_cases_are_tried() -> None:
    assert all(len(sessions(lie.outcomes)) >= EACH for lie in TOLD_OF)
    assert sum(map(len, TOLD_OF.values())) * EACH >= 500


@pytest.mark.parametrize("check", Check)
def test_a_check_that_is_switched_off_lets_its_lies_through(check: Check) -> None:
    story = Story().fact("the log shows a timeout").suggest("Update the router to 4.2.4")
    story.record("Update the router to 4.2.4", "applied_pending", "waiting for Dana to restart it")
    made = bundle(story.snapshot(), NOTE)
    let_through = [
        lie.name
        for lie in (*LIES, *NOTE_LIES)
        if lie.check is check
        and "applied_pending" in lie.outcomes
        and not violations(lie.tell(document(made), made), made, checks=ALL - {check})
    ]
    assert let_through
