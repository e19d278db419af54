"""A viewer sees the state, then every change once and in order, whatever is lost, repeated or late on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from gateway.updates import Update, Viewer
from shared.contracts.events import CloudEvent, routing_key, source_of, type_of
from shared.contracts.queries import GetSession, ListEvents
from shared.contracts.views import Note
from shared.contracts.vocabulary import NoteKind
from shared.courier import NotSent
from starlette.types import Message
from unit.gateway.gateway_doubles import ACCOUNT, SESSION, Bench, answer, settings, signed, written

EVENTS = f"/api/v1/ai-sessions/{SESSION}/events"
AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def change(sequence: int) -> dict[str, Any]:
    return CloudEvent(
        id=f"{SESSION}/{sequence}",
        source=source_of(ACCOUNT, SESSION),
        type=type_of("fix.applied"),
        time=AT,
        sequence=f"{sequence:020}",
        data={"state_version": sequence},
    ).model_dump(mode="json")


def note(state_version: int) -> dict[str, Any]:
    return CloudEvent(
        id=f"{SESSION}/resolution_note/{state_version}",
        source=source_of(ACCOUNT, SESSION),
        type=type_of("note.regenerated"),
        time=AT,
        data={"kind": "resolution_note", "state_version": state_version},
    ).model_dump(mode="json")


class Watcher:
    """Reads one stream, as a browser would."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.start: Message = {}
        self.ended = asyncio.Event()
        self.left = asyncio.Event()
        self.gone = asyncio.Event()
        self.stalled = asyncio.Event()
        self.stalled.set()
        self._parts: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        await self.stalled.wait()
        for part in message.get("body", b"").split(b"\n\n"):
            if part and not part.startswith(b"retry"):
                self._parts.put_nowait(part)
        if not message.get("more_body"):
            self.ended.set()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def next(self) -> dict[str, Any]:
        """The next event: its name, its id if it has one, and its data."""
        async with asyncio.timeout(5):
            part = await self._parts.get()
        if part.startswith(b":"):
            return {"comment": part.decode()}
        fields = dict(line.split(b": ", 1) for line in part.split(b"\n"))
        number = fields.get(b"id")
        return {
            "id": int(number) if number else None,
            "event": fields[b"event"].decode(),
            "data": orjson.loads(fields[b"data"]),
        }

    async def ids(self, count: int) -> list[int | None]:
        return [(await self.next())["id"] for _ in range(count)]

    def tell(self, event: dict[str, Any]) -> None:
        """An event arrives from the broker."""
        name = event["type"].split(".", 2)[2].removesuffix(".v1")
        self.bench.app.state.parts.updates.deliver(routing_key(ACCOUNT, SESSION, name), orjson.dumps(event))


class Journal:
    """What fix-outcomes would answer."""

    def __init__(self, bench: Bench, *, sequence: int) -> None:
        self.sequence, self.page, self.away = sequence, 100, False
        bench.queries.answer = self.answer

    def answer(self, query: Any) -> Any:
        if self.away:
            raise NotSent
        question = query.question
        if isinstance(question, GetSession):
            return answer(query.ref, sequence=self.sequence)
        assert isinstance(question, ListEvents)
        rows = range(question.cursor + 1, self.sequence + 1)[: self.page]
        more = rows[-1] if rows and rows[-1] < self.sequence else None
        return answer(query.ref, items=[change(row) for row in rows], next_cursor=more)


@asynccontextmanager
async def watching(
    bench: Bench, *, last_event_id: int | str | None = None, **claims: Any
) -> AsyncIterator[Watcher]:
    watcher = Watcher(bench)
    headers = [(b"authorization", f"Bearer {signed(**claims)}".encode())]
    if last_event_id is not None:
        headers.append((b"last-event-id", str(last_event_id).encode()))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": EVENTS,
        "raw_path": EVENTS.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": headers,
    }
    task = asyncio.create_task(bench.app(scope, watcher.receive, watcher.send))
    task.add_done_callback(lambda _: watcher.gone.set())
    try:
        yield watcher
    finally:
        watcher.left.set()
        watcher.stalled.set()
        await asyncio.wait_for(task, 5)


@pytest.fixture
def journal(bench: Bench) -> Journal:
    return Journal(bench, sequence=3)


async def test_a_fresh_stream_begins_with_the_state_and_its_sequence(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        state = await watcher.next()
    assert (state["event"], state["id"]) == ("state", 3)
    assert state["data"]["session"]["sequence"] == 3
    assert state["data"]["notes"] == {}


async def test_an_empty_last_event_id_is_none(bench: Bench, journal: Journal) -> None:
    async with watching(bench, last_event_id="") as watcher:
        assert await watcher.ids(1) == [3]


async def test_the_state_names_the_notes_that_are_ready(bench: Bench, journal: Journal) -> None:
    bench.notes.held[NoteKind.RESOLUTION_NOTE] = Note.model_validate(written(state_version=3))
    async with watching(bench) as watcher:
        state = await watcher.next()
        watcher.tell(note(3))
        watcher.tell(note(4))
        told = await watcher.next()
    assert state["data"]["notes"] == {"resolution_note": 3}
    assert told["data"]["data"]["state_version"] == 4


async def test_changes_follow_with_their_sequence_as_id(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        watcher.tell(change(4))
        event = await watcher.next()
    assert (event["id"], event["event"], event["data"]) == (4, "fix.applied", change(4))


async def test_a_resumed_stream_gets_what_it_missed(bench: Bench, journal: Journal) -> None:
    journal.page = 2
    async with watching(bench, last_event_id=0) as watcher:
        state = await watcher.next()
        assert (state["event"], state["id"]) == ("state", None)
        assert await watcher.ids(3) == [1, 2, 3]


async def test_a_stream_that_resumes_from_the_future_goes_on_from_now(bench: Bench, journal: Journal) -> None:
    async with watching(bench, last_event_id=99) as watcher:
        await watcher.next()
        watcher.tell(change(4))
        assert await watcher.ids(1) == [4]


async def test_repeats_and_late_events_are_dropped(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        for sequence in (2, 4, 4, 3, 5):
            watcher.tell(change(sequence))
        assert await watcher.ids(2) == [4, 5]


async def test_a_gap_is_filled_from_the_journal(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        journal.sequence = 6
        watcher.tell(change(6))
        assert await watcher.ids(3) == [4, 5, 6]


async def test_a_note_has_no_id_and_is_told_once(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        for event in (note(8), note(8), note(7), change(4)):
            watcher.tell(event)
        told = [await watcher.next() for _ in range(2)]
    assert [(event["event"], event["id"]) for event in told] == [
        ("note.regenerated", None),
        ("fix.applied", 4),
    ]


async def test_a_viewer_that_was_too_slow_catches_up_and_is_told_the_state_again(journal: Journal) -> None:
    bench = Bench(sse_buffer=4)
    journal = Journal(bench, sequence=3)
    async with watching(bench) as watcher:
        await watcher.next()
        watcher.stalled.clear()
        journal.sequence = 23
        for sequence in range(4, 24):
            watcher.tell(change(sequence))
            await asyncio.sleep(0)
        watcher.stalled.set()
        assert await watcher.ids(20) == list(range(4, 24))
        assert (await watcher.next())["event"] == "state"


async def test_a_stream_stays_open_while_nobody_can_be_asked(
    bench: Bench, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stream._PAUSE_S", 0.01)
    async with watching(bench) as watcher:
        await watcher.next()
        journal.away, journal.sequence = True, 5
        watcher.tell(change(5))
        assert "comment" in await watcher.next()
        journal.away = False
        while (event := await watcher.next()).get("id") is None:
            pass
        assert event["id"] == 4


async def test_silence_is_broken_by_comments(journal: Journal) -> None:
    bench = Bench(sse_heartbeat_s=0.01)
    Journal(bench, sequence=3)
    async with watching(bench) as watcher:
        await watcher.next()
        assert "comment" in await watcher.next()


async def test_a_stream_ends_when_the_token_does(bench: Bench, journal: Journal) -> None:
    async with watching(bench, exp=datetime.now(UTC).timestamp() + 1) as watcher:
        await watcher.next()
        await asyncio.wait_for(watcher.ended.wait(), 3)


async def test_a_stream_ends_when_the_gateway_does(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        bench.app.state.parts.updates.end()
        await asyncio.wait_for(watcher.ended.wait(), 1)
        assert (await bench.send("GET", EVENTS)).status_code == 503
    assert (await bench.send("GET", "/readyz")).json()["checks"]["serving"] is False


async def test_a_viewer_that_leaves_leaves_nothing_behind(bench: Bench, journal: Journal) -> None:
    updates = bench.app.state.parts.updates
    async with watching(bench) as watcher:
        await watcher.next()
        assert updates.viewers == 1
    assert updates.viewers == 0
    assert updates._viewers == {}


async def test_a_viewer_that_reads_nothing_is_let_go(journal: Journal) -> None:
    bench = Bench(sse_send_timeout_s=0.05)
    Journal(bench, sequence=3)
    async with watching(bench) as watcher:
        await watcher.next()
        watcher.stalled.clear()
        watcher.tell(change(4))
        await asyncio.wait_for(watcher.gone.wait(), 3)
        assert bench.app.state.parts.updates.viewers == 0


async def test_only_so_many_may_watch(journal: Journal) -> None:
    bench = Bench(sse_viewers=1)
    Journal(bench, sequence=3)
    async with watching(bench) as watcher:
        await watcher.next()
        reply = await bench.send("GET", EVENTS)
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")


async def test_a_session_that_is_not_there_is_a_problem_and_no_stream(bench: Bench) -> None:
    bench.queries.answer = lambda query: answer(query.ref, 404, code="not_found", detail="Not here")
    reply = await bench.send("GET", EVENTS)
    assert (reply.status_code, reply.headers["Content-Type"]) == (404, "application/problem+json")
    assert bench.app.state.parts.updates.viewers == 0


async def test_events_of_another_account_reach_nobody(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        foreign = f"{SESSION}.{SESSION}.fix.applied"
        bench.app.state.parts.updates.deliver(foreign, orjson.dumps(change(4)))
        watcher.tell(change(4) | {"data": {"ours": True}})
        assert (await watcher.next())["data"]["data"] == {"ours": True}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"type": 7}', b"\xff"])
async def test_an_event_that_cannot_be_read_harms_no_stream(
    bench: Bench, journal: Journal, body: bytes
) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        bench.app.state.parts.updates.deliver(routing_key(ACCOUNT, SESSION, "fix.applied"), body)
        watcher.tell(change(4))
        assert await watcher.ids(1) == [4]


def test_a_viewer_holds_no_more_than_its_buffer() -> None:
    viewer = Viewer(buffer=settings().sse_buffer)
    for sequence in range(settings().sse_buffer + 1):
        viewer.offer(Update.of(change(sequence)))
    assert viewer.take() == ()
    assert not viewer.caught_up()
