"""Over generated sessions: an honest document passes every check, and no lie passes the one that is for it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from note_generator.domain.bundle import bundle
from note_generator.domain.checks.examination import ALL, violations
from note_generator.domain.checks.violation import Check
from note_generator.domain.template import document
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.lies import LIES, NOTE_LIES, Lie, cases
from unit.note_generator.note_stories import Story

NOTE, PACKAGE = NoteKind.RESOLUTION_NOTE, NoteKind.ESCALATION_PACKAGE
EXAMPLES = settings(
    max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
TOLD = [(lie, kind) for lie in LIES for kind in NoteKind] + [(lie, NOTE) for lie in NOTE_LIES]


def named(case: object) -> str:
    return case.name if isinstance(case, Lie) else str(case)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(story=cases(), kind=st.sampled_from(NoteKind))
def test_the_template_is_honest_whatever_was_recorded(story: Story, kind: NoteKind) -> None:
    made = bundle(story.snapshot(), kind)
    assert violations(document(made), made) == ()


@pytest.mark.parametrize(("lie", "kind"), TOLD, ids=named)
def test_no_lie_passes_and_without_its_check_it_would(lie: Lie, kind: NoteKind) -> None:
    """10 sessions for each lie and document; each once with all checks, once without the one that finds it."""
    seen = 0

    @EXAMPLES
    @given(story=cases(st.sampled_from(lie.outcomes)))
    def told(story: Story) -> None:
        nonlocal seen
        made = bundle(story.snapshot(), kind)
        markdown = lie.tell(document(made), made)
        assert markdown != document(made)
        assert lie.check in {each.check for each in violations(markdown, made)}
        assert lie.check is Check.SHAPE or violations(markdown, made, checks=ALL - {lie.check}) == ()
        seen += 1

    told()
    assert seen >= EXAMPLES.max_examples - 1


def test_more_than_five_hundred_cases_are_tried() -> None:
    assert len(TOLD) * (EXAMPLES.max_examples - 1) >= 500


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
