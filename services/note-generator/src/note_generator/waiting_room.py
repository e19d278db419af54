"""Sessions that changed wait here until they have been quiet for a while, and are then written once.

The unacknowledged delivery is the outbox: a session keeps the newest one that names it, and a delivery is settled
when it holds no session any more. A change of a session that waits already is no more than an update of its entry.
"""

import asyncio
import heapq
import itertools
import random
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from opentelemetry.trace import SpanKind
from shared.contracts.events import StateChange
from shared.logs import about, logger, trace_id_of

from note_generator.metrics import OUTAGES, WAITING
from note_generator.outage import Away
from shared import telemetry

log = logger(__name__)

_FIRST_RETRY_S: Final = 0.5
_LAST_RETRY_S: Final = 4.0


class SessionKey(NamedTuple):
    """Whose session."""

    account_id: UUID
    session_id: UUID


@dataclass(slots=True, eq=False)
class Delivery:
    """One message of the queue. `settle` acknowledges it; `attempts` counts failures, for the retry ladder."""

    settle: Callable[[], Awaitable[None]]
    attempts: int = 0
    traceparent: str | None = None
    sessions: int = 0


@dataclass(slots=True, eq=False)
class Waiting:
    """A session that changed. Times are the event loop's; `changed_at`: first changed since it was last begun."""

    key: SessionKey
    delivery: Delivery
    first_at: float
    last_at: float
    state_version: int
    attempts: int
    traceparent: str | None
    not_before: float = 0.0
    outages: int = 0
    changed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """The session's notes are those of this version (None: there is nothing to write)."""

    state_version: int | None


@dataclass(frozen=True, slots=True)
class NotQuiet:
    """Another replica saw a newer change: come back after so many seconds."""

    seconds: float


Regenerate = Callable[[SessionKey, float], Awaitable[Handled | NotQuiet]]
"""Writes a session's notes; may say `NotQuiet` while the patience that it is given, in seconds, lasts."""

SetAside = Callable[[Waiting, Exception], Awaitable[None]]
"""Hands a session whose generation failed to the retry ladder; raises `Away` if that cannot be done now."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a session must be quiet, and how long it can wait for that at most."""

    quiet_s: float
    max_wait_s: float


@dataclass(slots=True)
class WaitingRoom:
    """Holds a bounded number of sessions; `workers` of them are written at once."""

    patience: Patience
    max_sessions: int
    workers: int
    regenerate: Regenerate
    set_aside: SetAside
    _sessions: dict[tuple[int, int], Waiting] = field(default_factory=dict)
    _due: list[tuple[float, int, Waiting]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)
    _ready: "asyncio.Queue[Waiting]" = field(default_factory=asyncio.Queue)
    _sooner: asyncio.Event = field(default_factory=asyncio.Event)
    _space: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _busy: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    def __len__(self) -> int:
        return len(self._sessions)

    def start(self) -> None:
        """Begin to watch the clock and to write."""
        self._space.set()
        self._tasks = [
            asyncio.create_task(self._watch(), name="waiting room"),
            *(asyncio.create_task(self._work(), name=f"writer {n}") for n in range(self.workers)),
        ]

    async def stop(self, *, within_s: float) -> None:
        """Begin nothing new, let what is being written end within the time, and drop the rest: it is redelivered."""
        self._stopping = True
        if self._busy:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._idle.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def take(self, delivery: Delivery, changes: Iterable[StateChange]) -> None:
        """Let the sessions of a delivery wait; blocks while the room is full."""
        await self._space.wait()
        now = asyncio.get_running_loop().time()
        freed = [old for change in changes if (old := self._enter(delivery, change, now))]
        if len(self._sessions) >= self.max_sessions:
            self._space.clear()
        WAITING.set(len(self._sessions))
        for old in freed:
            await old.settle()

    def _enter(self, delivery: Delivery, change: StateChange, now: float) -> Delivery | None:
        """Note one change; returns the delivery that is free to be settled by that, if any."""
        # Plain integers, because this is done thousands of times a second: a UUID hashes slower.
        key = change.account_id.int, change.session_id.int
        waiting = self._sessions.get(key)
        if waiting is None:
            delivery.sessions += 1
            waiting = Waiting(
                SessionKey(change.account_id, change.session_id),
                delivery,
                now,
                now,
                change.state_version,
                delivery.attempts,
                change.traceparent or delivery.traceparent,
            )
            self._sessions[key] = waiting
            self._schedule(waiting)
            return None
        waiting.last_at = now
        waiting.changed_at = waiting.changed_at or now
        if change.state_version > waiting.state_version:
            waiting.state_version = change.state_version
            waiting.traceparent = change.traceparent or waiting.traceparent
        waiting.attempts = max(waiting.attempts, delivery.attempts)
        if waiting.delivery is delivery:
            return None
        old, waiting.delivery = waiting.delivery, delivery
        delivery.sessions += 1
        old.sessions -= 1
        return old if old.sessions == 0 else None

    def _due_at(self, waiting: Waiting) -> float:
        quiet_at = min(waiting.last_at + self.patience.quiet_s, waiting.first_at + self.patience.max_wait_s)
        return max(quiet_at, waiting.not_before)

    def _schedule(self, waiting: Waiting) -> None:
        entry = (self._due_at(waiting), next(self._order), waiting)
        heapq.heappush(self._due, entry)
        if self._due[0] is entry:
            self._sooner.set()

    async def _watch(self) -> None:
        """Pass on what is due. An entry that changed meanwhile is due later: it goes back once, not per change."""
        loop = asyncio.get_running_loop()
        while True:
            self._sooner.clear()
            while self._due and self._due[0][0] <= loop.time():
                _, _, waiting = heapq.heappop(self._due)
                if self._due_at(waiting) > loop.time():
                    self._schedule(waiting)
                else:
                    self._ready.put_nowait(waiting)
            delay = self._due[0][0] - loop.time() if self._due else None
            try:
                async with asyncio.timeout(delay):
                    await self._sooner.wait()
            except TimeoutError:
                continue

    async def _work(self) -> None:
        while True:
            waiting = await self._ready.get()
            if self._stopping:
                return
            self._busy += 1
            self._idle.clear()
            try:
                await self._write(waiting)
            finally:
                self._busy -= 1
                if not self._busy:
                    self._idle.set()

    async def _write(self, waiting: Waiting) -> None:
        loop = asyncio.get_running_loop()
        about.set(
            {"account_id": waiting.key.account_id, "trace_id": trace_id_of(waiting.traceparent) or "none"}
        )
        waiting.changed_at = None
        began, begun_with = loop.time(), waiting.state_version
        try:
            patience_s = waiting.first_at + self.patience.max_wait_s - began
            with telemetry.span("write notes", waiting.traceparent, SpanKind.CONSUMER):
                result = await self.regenerate(waiting.key, max(patience_s, 0.0))
        except Away as outage:
            self._again(waiting, after_s=self._pause(waiting, outage))
        except Exception as error:
            await self._fail(waiting, error, begun_with)
        else:
            waiting.outages = 0
            if isinstance(result, NotQuiet):
                self._again(waiting, after_s=result.seconds)
            else:
                await self._leave_or_begin_anew(waiting, done=result.state_version or 0)

    async def _fail(self, waiting: Waiting, error: Exception, version: int) -> None:
        """One session that cannot be written must not hold up those that came with it, nor what changes it anew."""
        log.error(
            "generation failed",
            session_id=str(waiting.key.session_id),
            reason=type(error).__name__,
            attempts=waiting.attempts + 1,
        )
        try:
            if waiting.state_version <= version:
                await self.set_aside(waiting, error)
        except Away as outage:
            self._again(waiting, after_s=self._pause(waiting, outage))
        else:
            await self._leave_or_begin_anew(waiting, done=version)

    def _pause(self, waiting: Waiting, outage: Away) -> float:
        OUTAGES.labels(type(outage).__name__).inc()
        pause_s = min(_FIRST_RETRY_S * 2.0 ** min(waiting.outages, 10), _LAST_RETRY_S)
        waiting.outages += 1
        return pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter

    def _again(self, waiting: Waiting, *, after_s: float) -> None:
        waiting.not_before = asyncio.get_running_loop().time() + after_s
        self._schedule(waiting)

    async def _leave_or_begin_anew(self, waiting: Waiting, *, done: int) -> None:
        """Whatever became of the version `done`, a newer one that came meanwhile is still to be tried."""
        if waiting.changed_at is not None and waiting.state_version > done:
            waiting.first_at, waiting.attempts = waiting.changed_at, 0
            self._again(waiting, after_s=0.0)
        else:
            await self._leave(waiting)

    async def _leave(self, waiting: Waiting) -> None:
        del self._sessions[waiting.key.account_id.int, waiting.key.session_id.int]
        WAITING.set(len(self._sessions))
        if len(self._sessions) < self.max_sessions:
            self._space.set()
        delivery = waiting.delivery
        delivery.sessions -= 1
        if delivery.sessions == 0:
            await delivery.settle()
