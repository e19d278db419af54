"""A model that obeys whatever is written in a ticket: nothing of what it then writes is to be seen anywhere."""

import pytest
from note_generator.domain.bundle import bundle
from note_generator.domain.template import document
from note_generator_doubles import Surroundings, fresh_story
from note_lying import lying, places
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.injections import INJECTIONS, OBEYED
from unit.note_generator.lies import added

PLACES = ("intake", "title", "message", "fact", "fix", "reason")


@pytest.mark.parametrize("place", PLACES)
async def test_whoever_obeys_is_refused_and_seen_nowhere(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Each text once in each place would be hundreds: each is once in one, and all places have theirs."""
    async with lying(around, monkeypatch) as liar:
        for number, text in enumerate(INJECTIONS):
            if PLACES[number % len(PLACES)] != place:
                continue
            kind, words = (
                list(NoteKind)[number // len(PLACES) % 2],
                list(OBEYED.values())[number % len(OBEYED)],
            )
            story = fresh_story(
                intake=text if place == "intake" else "No internet.", title=text if place == "title" else None
            )
            if place == "message":
                story.say("client", text)
            if place == "fact":
                story.fact(text)
            story.suggest("Update the router", text if place == "fix" else "Do it, then check.", name="it")
            reason = f"waiting for Dana {text}" if place == "reason" else "waiting for Dana to restart it"
            story.record("it", "applied_pending", reason)
            made = bundle(story.snapshot(), kind)
            seen = await liar.tells(story, kind, added(words)(document(made), made))
            assert places(seen, [words], kind) == set(), (text, words)
            assert (seen.preview["generator"], seen.preview["degraded"]) == ("template", True)
            assert "refused" in seen.preview["warnings"][0]
            assert "awaiting verification" in seen.preview["markdown"]
