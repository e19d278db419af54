"""A viewer's stream of events, what it reads, and the journal that it is filled from."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from shared.contracts.events import CloudEvent, routing_key, source_of, type_of
from shared.contracts.queries import GetSession, ListEvents
from shared.courier import NotSent
from starlette.types import Message
from unit.gateway.gateway_doubles import ACCOUNT, SESSION, Bench, answer, signed

EVENTS = f"/api/v1/ai-sessions/{SESSION}/events"
AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def change(sequence: int) -> dict[str, Any]:
    id_, data = f"{SESSION}/{sequence}", {"state_version": sequence}
    return _event("fix.applied", id_, data, sequence=f"{sequence:020}")


def note(state_version: int) -> dict[str, Any]:
    id_, data = (
        f"{SESSION}/resolution_note/{state_version}",
        {"kind": "resolution_note", "state_version": state_version},
    )
    return _event("note.regenerated", id_, data)


def _event(name: str, id_: str, data: dict[str, Any], *, sequence: str | None = None) -> dict[str, Any]:
    return CloudEvent(
        id=id_, source=source_of(ACCOUNT, SESSION), type=type_of(name), time=AT, sequence=sequence, data=data
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
        async with asyncio.timeout(20):
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
        self.read: list[int] = []
        bench.queries.answer = self.answer

    def answer(self, query: Any) -> Any:
        if self.away:
            raise NotSent
        question = query.question
        if isinstance(question, GetSession):
            return answer(query.ref, sequence=self.sequence)
        assert isinstance(question, ListEvents)
        self.read.append(question.cursor)
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
