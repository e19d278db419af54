"""Whatever people's texts order: they stay data on their way in, and who obeys them is refused on the way out."""

import pytest
from note_generator.domain.brief import brief
from note_generator.domain.bundle import Standing, bundle
from note_generator.domain.checks.examination import violations
from note_generator.domain.template import document
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.injections import INJECTIONS, OBEYED
from unit.note_generator.lies import added
from unit.note_generator.note_stories import Story

PLACES = ("intake", "title", "message", "fact", "fix", "reason")
REASON = "waiting for Dana to restart the router"


def story_with(text: str, place: str) -> Story:
    """A case that awaits verification, with the text in one of the places where people write."""
    story = Story(
        intake=text if place == "intake" else "No internet.", title=text if place == "title" else None
    )
    if place == "message":
        story.say("client", text)
    if place == "fact":
        story.fact(text)
    story.suggest("Update the router as agreed", text if place == "fix" else "Do it, then check.", name="it")
    return story.record("it", "applied_pending", f"{REASON} {text}" if place == "reason" else REASON)


def test_there_are_sixty_of_them() -> None:
    assert len(set(INJECTIONS)) >= 60


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", range(len(INJECTIONS)))
def test_an_injected_text_is_data_and_whoever_obeys_it_is_refused(number: int, place: str) -> None:
    kind = list(NoteKind)[(number + PLACES.index(place)) % 2]
    made = bundle(story_with(INJECTIONS[number], place).snapshot(), kind)
    assert made.standing is Standing.PENDING
    record = brief(made)
    ours = [line for line in record.splitlines() if not line.startswith("| ")]
    assert ours.count("Outcome status: applied_pending") == 1
    assert "Outcome status: applied_success" not in ours
    assert "<record>" not in record
    assert "</record>" not in record
    sentence = list(OBEYED.values())[number % len(OBEYED)]
    assert violations(added(sentence)(document(made), made), made)


@pytest.mark.parametrize("what", OBEYED)
def test_what_an_obedient_model_writes_is_refused_wherever_it_stands(what: str) -> None:
    made = bundle(story_with(INJECTIONS[0], "message").snapshot(), NoteKind.RESOLUTION_NOTE)
    for heading in ("## Problem", "## What we confirmed", "## Root cause", "## Resolution"):
        assert violations(added(OBEYED[what], heading)(document(made), made), made), heading
