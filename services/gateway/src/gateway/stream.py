"""One viewer's event stream: the state, then every change once and in order, whatever happens in between."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import UUID

from shared.contracts.answers import Answer
from shared.contracts.queries import GetSession, ListEvents
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.changes import refusal
from gateway.problems import Problem
from gateway.reads import Read
from gateway.updates import Update, Viewer, frame

_OK: Final = 200
_HEARTBEAT: Final = b": still here\n\n"
_RECONNECT: Final = b"retry: 2000\n\n"
_ASK_AGAIN_S: Final = 2.0
_PAUSE_S: Final = 0.5
_ROUNDS: Final = 4
"""Of asking the journal for what lies before an update, until the update is dropped."""
_FAREWELL_S: Final = 1.0
_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)

Write = Callable[[bytes], Awaitable[None]]


class Position:
    """How far a viewer is: the last sequence it got, and the newest version of each note that it knows of."""

    def __init__(self, sequence: int, *, notes: Mapping[str, int]) -> None:
        self.sequence = sequence
        self._notes = dict(notes)

    def misses(self, update: Update) -> bool:
        """Whether something lies between this update and what the viewer has."""
        return update.sequence is not None and update.sequence > self.sequence + 1

    def advance(self, update: Update) -> bool:
        """Whether the viewer has to see it; if so, it now has."""
        if update.note is not None:
            return self._advance_note(*update.note)
        if update.sequence is None or update.sequence <= self.sequence:
            return False
        self.sequence = update.sequence
        return True

    def _advance_note(self, kind: str, state_version: int) -> bool:
        if state_version <= self._notes.get(kind, -1):
            return False
        self._notes[kind] = state_version
        return True


class EventStream(Response):
    """The answer to `GET …/events`. Everything is in the call: what it opens, it closes."""

    def __init__(self, *, read: Read, session_id: UUID, last_event_id: int | None) -> None:
        self._read, self._session_id, self._last_event_id = read, session_id, last_event_id
        self._settings, self._updates = read.parts.settings, read.parts.updates
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        account_id = self._read.caller.account_id
        async with self._updates.watch(account_id=account_id, session_id=self._session_id) as viewer:
            session = await self._read.ask(GetSession(session_id=self._session_id))
            if session.status != _OK:
                await refusal(scope, session)(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": _OK, "headers": list(_HEADERS)})
            await self._until_the_end(receive, send, self._follow(viewer, session, self._writer(send)))

    async def _until_the_end(self, receive: Receive, send: Send, following: Awaitable[None]) -> None:
        """Follow until the client leaves, its token expires, or this process stops."""
        tasks = tuple(
            asyncio.ensure_future(awaitable)
            for awaitable in (following, _left(receive), self._updates.ending.wait())
        )
        rest_s = self._read.caller.expires - self._read.parts.clock().timestamp()
        try:
            done, _ = await asyncio.wait(tasks, timeout=max(rest_s, 0), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
        await _farewell(send)

    def _writer(self, send: Send) -> Write:
        async def write(part: bytes) -> None:
            async with asyncio.timeout(self._settings.sse_send_timeout_s):
                await send({"type": "http.response.body", "body": part, "more_body": True})

        return write

    async def _follow(self, viewer: Viewer, session: Answer, write: Write) -> None:
        try:
            position = await self._open(session, write)
            while True:
                await self._step(viewer, position, write)
        except TimeoutError:
            return  # it reads nothing; when it comes back it says how far it got

    async def _open(self, session: Answer, write: Write) -> Position:
        sequence, notes = int(session.body["sequence"]), await self._notes()
        await self._show_interest()
        resumed = self._last_event_id
        await write(_RECONNECT + _state(session, notes, sequence=sequence if resumed is None else None))
        position = Position(sequence if resumed is None else min(resumed, sequence), notes=notes)
        if position.sequence < sequence:
            await self._catch_up(position, write)
        return position

    async def _step(self, viewer: Viewer, position: Position, write: Write) -> None:
        """Send what there is, or a sign of life."""
        if not await viewer.wait(self._settings.sse_heartbeat_s):
            await write(_HEARTBEAT)
            await self._show_interest()
        if not viewer.caught_up():
            await self._catch_up(position, write)
            await self._restate(write)
        for update in viewer.take():
            if not await self._fill_up(position, update, write):
                await self._restate(write)
            elif position.advance(update):
                await write(update.frame)

    async def _fill_up(self, position: Position, update: Update, write: Write) -> bool:
        """Send what comes before this update. False where the journal lacks it: after a fail-over, it may for good."""
        for _ in range(_ROUNDS):
            if not position.misses(update):
                return True
            await self._catch_up(position, write)
            if position.misses(update):
                await self._pause(write)
        return not position.misses(update)

    async def _catch_up(self, position: Position, write: Write) -> None:
        """Send what the journal has and the viewer has not."""
        more = True
        while more:
            question = ListEvents(session_id=self._session_id, cursor=position.sequence)
            body = await self._answered(question, write)
            for event in body["items"]:
                update = Update.of(event)
                if position.advance(update):
                    await write(update.frame)
            more = body.get("next_cursor") is not None and bool(body["items"])

    async def _restate(self, write: Write) -> None:
        """After a break: notes are in no journal, so say again which are there."""
        body = await self._answered(GetSession(session_id=self._session_id), write)
        await write(frame(event="state", data={"session": body, "notes": await self._notes()}))

    async def _answered(self, question: GetSession | ListEvents, write: Write) -> dict[str, Any]:
        """The answer, however long it takes: the stream stays open while fix-outcomes is away."""
        while True:
            try:
                answer = await self._read.ask(question, timeout_s=_ASK_AGAIN_S)
                if answer.status == _OK:
                    return answer.body
            except Problem:
                pass
            await self._pause(write)

    async def _pause(self, write: Write) -> None:
        """Before the same is asked again, with a sign of life."""
        await write(_HEARTBEAT)
        await asyncio.sleep(_PAUSE_S)

    async def _show_interest(self) -> None:
        await self._read.parts.notes.show_interest(
            account_id=self._read.caller.account_id, session_id=self._session_id
        )

    async def _notes(self) -> dict[str, int]:
        found = await self._read.parts.notes.versions(
            account_id=self._read.caller.account_id, session_id=self._session_id
        )
        return {kind.value: version for kind, version in found.items()}  # orjson takes no enum as a key


def _state(session: Answer, notes: Mapping[str, int], *, sequence: int | None) -> bytes:
    return frame(event="state", data={"session": session.body, "notes": notes}, sequence=sequence)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _farewell(send: Send) -> None:
    """End the answer properly, unless the client does not even take that."""
    try:
        async with asyncio.timeout(_FAREWELL_S):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    except TimeoutError:
        return
