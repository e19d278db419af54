"""The notes keep in step with what was recorded, written once by the model however many ask."""

import asyncio
import re

import pytest
from devstack.stack import Stack
from e2e.client import Person, own_words
from e2e.listening import previewing, watching
from e2e.model import Model
from note_generator.domain.wording import HEADINGS
from patience import eventually
from shared.contracts.vocabulary import NoteKind

DOCUMENTS = {
    "resolution-note": NoteKind.RESOLUTION_NOTE,
    "escalation-package": NoteKind.ESCALATION_PACKAGE,
}
FIELDS = {
    *("markdown", "state_version", "from_cache", "generator", "degraded", "generated_at"),
    *("warnings", "citations", "usage"),
}

each_document = pytest.mark.parametrize("document", DOCUMENTS)


@each_document
async def test_a_preview_after_an_outcome_shows_that_outcome(
    engineer: Person, model: Model, document: str
) -> None:
    fix, words = await engineer.suggested_fix(), own_words()
    before = (await engineer.preview(fix.session_id, document)).good()
    recorded = (await engineer.record(fix, "applied_pending", words)).fix
    after = (await engineer.preview(fix.session_id, document)).good()
    assert set(after) == FIELDS
    assert (before["state_version"], after["state_version"]) == (fix.state_version, recorded.state_version)
    assert (after["from_cache"], after["generator"], after["degraded"]) == (False, "llm", False)
    assert words in after["markdown"]
    assert words not in before["markdown"]
    [call] = model.about(words)
    assert call.kind == DOCUMENTS[document]
    assert "Outcome status: applied_pending" in call.text


@each_document
async def test_a_second_preview_of_the_same_version_comes_from_the_cache(
    engineer: Person, document: str
) -> None:
    fix = await engineer.suggested_fix()
    first = (await engineer.preview(fix.session_id, document)).good()
    second = (await engineer.preview(fix.session_id, document)).good()
    assert (first.pop("from_cache"), second.pop("from_cache")) == (False, True)
    assert first == second


@each_document
async def test_the_headings_are_those_of_the_document_in_their_order(engineer: Person, document: str) -> None:
    fix = await engineer.suggested_fix()
    markdown = (await engineer.preview(fix.session_id, document)).good()["markdown"]
    headings = tuple(line for line in markdown.splitlines() if line.startswith("#"))
    assert headings == HEADINGS[DOCUMENTS[document]]


async def test_however_many_ask_and_however_often_a_version_is_written_once_over_all_replicas(
    engineer: Person, viewer: Person, model: Model, stack: Stack
) -> None:
    fix, words = await engineer.suggested_fix(), own_words()
    recorded = (await engineer.record(fix, "applied_partial", words)).fix
    before = await _previews_answered(engineer, stack)
    async with watching(engineer, fix.session_id) as stream:
        with model.held_back(words):
            asking = [
                asyncio.create_task(person.preview(fix.session_id, document))
                for document in DOCUMENTS
                for person in (engineer, viewer) * 6
            ]
            await eventually(lambda: {call.kind for call in model.about(words)} == set(NoteKind))
        previews = [answer.good() for answer in await asyncio.gather(*asking)]
        assert {preview["state_version"] for preview in previews} == {recorded.state_version}
        assert len({preview["markdown"] for preview in previews}) == len(DOCUMENTS)
        # The next version is written ahead; by then nothing is left to be done for this one.
        await engineer.confirm(fix.session_id)
        while (await stream.until("note.regenerated")).data["data"][
            "state_version"
        ] <= recorded.state_version:
            pass
    calls = [call.kind for call in model.about(words) if "The line has sync" not in call.text]
    assert sorted(calls) == sorted(NoteKind)
    after = await _previews_answered(engineer, stack)
    assert all(after[replica] > before[replica] for replica in before), "one replica answered them all"


async def _previews_answered(person: Person, stack: Stack) -> dict[str, float]:
    """By every replica of note-generator."""
    answered = {}
    for replica in ("note-generator", "note-generator-2"):
        metrics = (await person.http.get(f"{stack.url(replica)}/metrics")).text
        counted = re.findall(r"^rf_note_generator_preview_seconds_count\{.*\} (\S+)$", metrics, re.MULTILINE)
        answered[replica] = sum(float(count) for count in counted)
    return answered


async def test_after_the_quiet_period_the_notes_are_found_ready_without_anyone_having_asked(
    engineer: Person, model: Model
) -> None:
    fix, words = await engineer.suggested_fix(), own_words()
    async with watching(engineer, fix.session_id) as stream:
        recorded = (await engineer.record(fix, "applied_failed", words)).fix
        announced = {
            (await stream.until("note.regenerated")).data["data"]["kind"],
            (await stream.until("note.regenerated")).data["data"]["kind"],
        }
    assert announced == set(NoteKind)
    for document in DOCUMENTS:
        note = (await engineer.preview(fix.session_id, document)).good()
        assert (note["from_cache"], note["state_version"]) == (True, recorded.state_version)
        assert words in note["markdown"]
    assert sorted(call.kind for call in model.about(words)) == sorted(NoteKind)


async def test_a_burst_of_changes_costs_one_generation_of_each_document(
    engineer: Person, model: Model
) -> None:
    words = own_words()
    session_id = await engineer.open_session(words)
    async with watching(engineer, session_id) as stream:
        for number in range(8):
            await engineer.confirm(session_id, f"Port {number} is up")
        newest = await engineer.version(session_id)
        versions = [(await stream.until("note.regenerated")).data["data"]["state_version"] for _ in DOCUMENTS]
    assert versions == [newest, newest]
    assert len(model.about(words)) == len(DOCUMENTS)


@each_document
async def test_text_is_streamed_while_the_model_writes_and_ends_as_the_checked_document(
    engineer: Person, model: Model, document: str
) -> None:
    fix, words = await engineer.suggested_fix(), own_words()
    await engineer.record(fix, "applied_pending", words)
    async with previewing(engineer, fix.session_id, document) as stream:
        with model.held_back(words, from_piece=6):
            first = await stream.until("text")
            assert first.data["text"].startswith("## Problem")
        last = await stream.until("document")
    texts = [each.data["text"] for each in stream.seen if each.event == "text"]
    assert "".join(texts) == last.data["markdown"]
    assert not any(each.event == "replaced" for each in stream.seen)
    plain = (await engineer.preview(fix.session_id, document)).good()
    assert plain == last.data | {"from_cache": True}


async def test_what_the_model_gets_wrong_is_taken_back_from_who_reads_along(
    engineer: Person, model: Model
) -> None:
    fix, words = await engineer.suggested_fix(), own_words()
    await engineer.record(fix, "applied_pending", words)
    with model.lying(words):
        async with previewing(engineer, fix.session_id, "resolution-note") as stream:
            with model.held_back(words, from_piece=6):
                assert (await stream.until("text")).data["text"].startswith("## Problem")
            replaced = await stream.until("replaced")
            last = await stream.until("document")
    assert "claims a closure" in str(replaced.data["warnings"])
    assert (last.data["generator"], last.data["degraded"]) == ("template", True)
    assert not any("Everything works again" in str(each.data) for each in stream.seen)


async def test_a_proposal_changes_no_note(engineer: Person, program: Person) -> None:
    fix = await engineer.suggested_fix()
    first = (await engineer.preview(fix.session_id)).good()
    await program.propose(fix)
    second = (await engineer.preview(fix.session_id)).good()
    assert (second["from_cache"], second["markdown"]) == (True, first["markdown"])


async def test_an_internal_fact_reaches_the_escalation_package_alone(engineer: Person, model: Model) -> None:
    session_id, words = await engineer.open_session(), own_words()
    path = f"/api/v1/ai-sessions/{session_id}/facts"
    (await engineer.post(path, {"text": words, "visibility": "internal"})).good()
    for document in DOCUMENTS:
        (await engineer.preview(session_id, document)).good()
    assert {call.kind for call in model.about(words)} == {NoteKind.ESCALATION_PACKAGE}


async def test_the_note_of_a_foreign_session_is_not_to_be_had(engineer: Person, stranger: Person) -> None:
    fix = await engineer.suggested_fix()
    (await engineer.preview(fix.session_id)).good()
    refused = await stranger.preview(fix.session_id)
    assert (refused.status, refused.code) == (404, "not_found")
