"""A secret in any text reaches neither the model nor a document, and one that comes back from it is refused."""

import pytest
from note_generator.domain.brief import brief
from note_generator.domain.bundle import bundle
from note_generator.domain.checks.examination import violations
from note_generator.domain.template import document
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.leaks import LEAKS
from unit.note_generator.lies import added
from unit.note_generator.note_stories import Story

PLACES = ("intake", "message", "fact", "fix", "reason")


def story_with(text: str, place: str) -> Story:
    """A case that awaits verification, with the text in one place."""
    story = Story(intake=text if place == "intake" else "No internet.")
    if place == "message":
        story.say("client", text)
    if place == "fact":
        story.fact(text)
    story.suggest("Update the router as agreed", text if place == "fix" else "Do it, then check.", name="it")
    return story.record("it", "applied_pending", text if place == "reason" else "waiting for the restart")


def test_there_are_sixty_of_them() -> None:
    assert len(set(LEAKS)) >= 60


@pytest.mark.parametrize("number", range(len(LEAKS)), ids=lambda number: LEAKS[number][1])
def test_it_is_gone_before_anything_is_written_or_sent(number: int) -> None:
    text, secret = LEAKS[number]
    for place in PLACES:
        made = bundle(story_with(text, place).snapshot(), list(NoteKind)[number % 2])
        assert secret not in brief(made), place
        assert secret not in document(made), place
        assert "removed]" in brief(made)


@pytest.mark.parametrize("number", range(len(LEAKS)), ids=lambda number: LEAKS[number][1])
def test_a_model_that_says_it_is_refused(number: int) -> None:
    text, _ = LEAKS[number]
    made = bundle(story_with("hello there", "fact").snapshot(), NoteKind.RESOLUTION_NOTE)
    leaking = added(" ".join(text.split()))(document(made), made)
    assert "secret" in {each.rule for each in violations(leaking, made)}
