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
TOLD_OF = dict.fromkeys(LIES, (NOTE, PACKAGE)) | dict.fromkeys(NOTE_LIES, (NOTE,))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(story=cases(), kind=st.sampled_from(NoteKind))
def test_the_template_is_honest_whatever_was_recorded(story: Story, kind: NoteKind) -> None:
    made = bundle(story.snapshot(), kind)
    assert violations(document(made), made) == ()


@pytest.mark.parametrize("lie", TOLD_OF, ids=lambda lie: lie.name)
def test_no_lie_passes_and_without_its_check_it_would(lie: Lie) -> None:
    """10 sessions for each lie, in each document; once with all checks, once without the one that finds it."""
    seen = 0

    @EXAMPLES
    @given(story=cases(st.sampled_from(lie.outcomes)))
    def told(story: Story) -> None:
        nonlocal seen
        snapshot = story.snapshot()
        for made in (bundle(snapshot, kind) for kind in TOLD_OF[lie]):
            honest = document(made)
            markdown = lie.tell(honest, made)
            assert markdown != honest
            found = violations(markdown, made)
            assert lie.check in {each.check for each in found}
            assert lie.check is Check.SHAPE or violations(markdown, made, checks=ALL - {lie.check}) == ()
        seen += 1

    told()
    assert seen >= EXAMPLES.max_examples - 1


def test_more_than_five_hundred_cases_are_tried() -> None:
    assert sum(map(len, TOLD_OF.values())) * (EXAMPLES.max_examples - 1) >= 500


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
