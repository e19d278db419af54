"""A preview shows the note of the current version: from the cache if it is there, else written now."""

import json
from typing import Any

import pytest
from shared.contracts.answers import Answer
from shared.contracts.queries import LintNote, WriteNote
from shared.contracts.views import Note, NoteSoFar
from shared.contracts.vocabulary import NoteKind
from shared.courier import NotSent, Unanswered
from unit.gateway.gateway_doubles import SESSION, Bench, answer, written

PREVIEW = f"/api/v1/ai-sessions/{SESSION}/resolution-note/preview"
ESCALATION = f"/api/v1/ai-sessions/{SESSION}/escalation-package/preview"


def hold(bench: Bench, *, state_version: int) -> None:
    note = Note.model_validate(written(state_version=state_version))
    bench.notes.held[NoteKind.RESOLUTION_NOTE] = note


async def test_a_note_of_the_current_version_comes_from_the_cache(bench: Bench) -> None:
    hold(bench, state_version=8)
    reply = await bench.send("POST", PREVIEW)
    assert reply.json() == {
        "markdown": "## Problem",
        "state_version": 8,
        "from_cache": True,
        "generator": "template",
        "degraded": False,
        "generated_at": "2026-11-02T09:30:00Z",
        "warnings": [],
        "citations": [],
        "usage": None,
    }
    assert reply.headers["ETag"] == '"8"'
    assert not bench.previews.asked


async def test_a_note_of_an_older_version_is_not_shown(bench: Bench) -> None:
    hold(bench, state_version=7)
    reply = await bench.send("POST", PREVIEW)
    assert (reply.json()["state_version"], reply.json()["from_cache"]) == (8, False)


async def test_each_document_is_asked_for_by_its_name(bench: Bench) -> None:
    await bench.send("POST", PREVIEW)
    await bench.send("POST", ESCALATION)
    assert [query.question for query in bench.previews.asked] == [
        WriteNote(session_id=SESSION, note=NoteKind.RESOLUTION_NOTE),
        WriteNote(session_id=SESSION, note=NoteKind.ESCALATION_PACKAGE),
    ]


async def test_an_unknown_session_has_no_preview(bench: Bench) -> None:
    bench.queries.answer = lambda query: answer(query.ref, 404, code="not_found", detail="Not here")
    assert (await bench.send("POST", PREVIEW)).status_code == 404
    assert not bench.previews.asked


@pytest.mark.parametrize("error", [NotSent, Unanswered])
async def test_a_preview_that_nobody_writes_is_503(bench: Bench, error: type[Exception]) -> None:
    def away(_: Any) -> Any:
        raise error

    bench.previews.answer = away
    reply = await bench.send("POST", PREVIEW)
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")


async def test_a_refusal_to_write_is_passed_on(bench: Bench) -> None:
    body = {"code": "unavailable", "detail": "Too much to write"}
    bench.previews.answer = lambda query: Answer(ref=query.ref, status=503, body=body)
    reply = await bench.send("POST", PREVIEW)
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")


async def test_a_preview_waits_no_longer_than_its_deadline() -> None:
    bench = Bench(preview_timeout_s=7)
    await bench.send("POST", PREVIEW)
    assert 6 < bench.previews.timeouts[0] <= 7


LINT = f"/api/v1/ai-sessions/{SESSION}/notes/lint"


async def test_a_text_is_held_against_the_record_by_note_generator(bench: Bench) -> None:
    body = {"state_version": 8, "violations": []}
    bench.previews.answer = lambda query: Answer(ref=query.ref, status=200, body=body)
    reply = await bench.send("POST", LINT, json={"kind": "escalation_package", "markdown": "## Problem"})
    assert (reply.status_code, reply.json(), reply.headers["ETag"]) == (200, body, '"8"')
    assert [query.question for query in bench.previews.asked] == [
        LintNote(session_id=SESSION, note=NoteKind.ESCALATION_PACKAGE, markdown="## Problem")
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "poem", "markdown": "x"},
        {"kind": "resolution_note"},
        {"kind": "resolution_note", "markdown": ""},
    ],
)
async def test_a_text_of_another_shape_is_not_asked_about(bench: Bench, body: dict[str, Any]) -> None:
    assert (await bench.send("POST", LINT, json=body)).status_code == 422
    assert not bench.previews.asked


async def events(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    reply = await bench.send("POST", PREVIEW, params={"stream": "true"})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    frames = [frame.splitlines() for frame in reply.text.strip().split("\n\n")]
    return [
        (lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))) for lines in frames
    ]


@pytest.mark.parametrize("cached", [True, False])
async def test_a_stream_ends_with_the_checked_document(bench: Bench, cached: bool) -> None:
    if cached:
        hold(bench, state_version=8)
    names, data = zip(*await events(bench), strict=True)
    assert names == ("progress", "text", "document")
    assert (
        "".join(each["text"] for name, each in zip(names, data, strict=True) if name == "text")
        == "## Problem"
    )
    plain = (await bench.send("POST", PREVIEW)).json()
    assert data[-1] == plain


async def test_a_text_that_was_refused_is_named_and_replaced(bench: Bench) -> None:
    body = written() | {"degraded": True, "warnings": ["the model's text was refused: claims a closure"]}
    bench.previews.answer = lambda query: Answer(ref=query.ref, status=200, body=body)
    assert ("replaced", {"warnings": body["warnings"]}) in await events(bench)


async def told(bench: Bench, *drafts: NoteSoFar, **ending: Any) -> list[tuple[str, dict[str, Any]]]:
    """The stream of a note that was seen so far in these stages, without signs of progress."""
    bench.notes.drafts = list(drafts)
    bench.notes.drafts_seen.clear()
    bench.previews.before_answering = bench.notes.drafts_seen.wait
    bench.previews.answer = lambda query: Answer(ref=query.ref, status=200, body=written() | ending)
    return [(name, data) for name, data in await events(bench) if name != "progress"]


async def test_text_is_told_while_it_is_written(bench: Bench) -> None:
    stages = [NoteSoFar(text="## Pro"), NoteSoFar(text="## Pro"), NoteSoFar(text="## Problem\n")]
    frames = await told(bench, *stages, markdown="## Problem\n\nNone.\n")
    assert [data["text"] for name, data in frames if name == "text"] == ["## Pro", "blem\n", "\nNone.\n"]
    assert [name for name, _ in frames] == ["text", "text", "text", "document"]


async def test_what_stood_and_does_not_hold_is_taken_back(bench: Bench) -> None:
    stages = [NoteSoFar(text="## One"), NoteSoFar(replaced=("outcome",)), NoteSoFar(text="## Two")]
    frames = await told(bench, *stages, markdown="## Two, whole")
    assert [name for name, _ in frames] == ["text", "replaced", "text", "text", "document"]
    assert frames[1][1] == {"warnings": ["outcome"]}
    degraded = {"markdown": "## Template", "degraded": True, "warnings": ["why"]}
    frames = await told(bench, NoteSoFar(text="## One"), **degraded)
    assert [name for name, _ in frames] == ["text", "replaced", "text", "document"]
    assert frames[1][1] == {"warnings": ["why"]}


async def test_nothing_is_left_standing_where_the_note_fails(bench: Bench) -> None:
    bench.notes.drafts = [NoteSoFar(text="## One")]
    bench.previews.before_answering = bench.notes.drafts_seen.wait
    body = {"code": "unavailable", "detail": "Too much to write"}
    bench.previews.answer = lambda query: Answer(ref=query.ref, status=503, body=body)
    names = [name for name, _ in await events(bench) if name != "progress"]
    assert names == ["text", "replaced", "problem"]


async def test_a_stream_that_nobody_writes_for_ends_with_the_problem(bench: Bench) -> None:
    def away(query: Any) -> Answer:
        raise Unanswered

    bench.previews.answer = away
    assert [name for name, _ in await events(bench)] == ["progress", "problem"]


async def test_who_previews_shows_interest(bench: Bench) -> None:
    await bench.send("POST", PREVIEW)
    assert bench.notes.watched == [SESSION]
