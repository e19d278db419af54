"""Tells the world what the journal says: one relay at a time, in order per session, confirmed, then marked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence, Set
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from prometheus_client import Counter, Gauge
from shared.logs import logger
from shared.publisher import NotPublished, Publisher
from sqlalchemy.ext.asyncio import AsyncEngine

from fix_outcomes.announcing import publish_in_order, wake_note_generator
from fix_outcomes.storage import outbox, rows
from fix_outcomes.storage.database import Raw, is_outage

Checkpoint = Callable[[str], Awaitable[None]]

BATCH: Final = 256
IDLE_S: Final = 60
"""Seconds after which the server ends the connection of a relay that is frozen, or gone: its lock is free then."""

PURGE_EVERY_S: Final = 60.0
PURGED_AT_ONCE: Final = 5_000
_PURGE_TIMEOUT_S: Final = 5.0
_STANDBY_S: Final = 0.5
_LAG_EVERY_S: Final = 5.0
_TOUCH_EVERY_S: Final = 15.0
_FIRST_HOLD_S, _LONGEST_HOLD_S = 0.25, 5.0

log = logger(__name__)

published_total = Counter("rf_relay_published_total", "Journal entries that the broker confirmed")
lag_rows = Gauge(
    "rf_relay_lag_rows",
    f"Journal entries that wait to be published; {outbox.MOST_COUNTED} are that many or more",
)
lag_seconds = Gauge("rf_relay_lag_seconds", "Age of the oldest journal entry that waits")
leading = Gauge("rf_relay_leading", "1 while this replica is the relay")


class Relay:
    """Publishes what is in the outbox, woken after each commit here, and polling for what others left."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        publisher: Publisher,
        checkpoint: Checkpoint,
        poll_s: float,
        keep_published: timedelta,
        keep_answers: timedelta,
    ) -> None:
        self._engine, self._publisher, self._checkpoint = engine, publisher, checkpoint
        self._poll_s = poll_s
        self._keep = {"published": keep_published, "answers": keep_answers}
        self._wake = asyncio.Event()
        self._held_up = _HeldUp()
        self._next_purge = self._next_lag = self._next_touch = 0.0

    def wake(self) -> None:
        """There is something to publish."""
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled; an outage is waited out."""
        began = asyncio.get_running_loop().time()
        self._next_purge, self._next_lag = began + PURGE_EVERY_S, began + _LAG_EVERY_S
        while True:
            try:
                await self._lead()
            except NotPublished as error:
                log.warning("the relay waits for the broker", reason=str(error))
            except Exception as error:
                if not is_outage(error):
                    log.exception("the relay failed")
                else:
                    log.warning("the relay waits for the database", reason=type(error).__name__)
            finally:
                leading.set(0)
            await asyncio.sleep(_STANDBY_S)

    async def _lead(self) -> None:
        """Publish for as long as this connection holds the lock: losing it ends the leadership."""
        async with self._engine.connect() as pooled:
            connection: Any = (await pooled.get_raw_connection()).driver_connection
            try:
                while not await outbox.become_leader(connection):  # noqa: ASYNC110 - another process holds it
                    await asyncio.sleep(_STANDBY_S)
                leading.set(1)
                await self._publish_on(connection)
            finally:
                await pooled.invalidate()

    async def _publish_on(self, connection: Raw) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            await self._look_after(connection, at=loop.time())
            batch = await outbox.unpublished(connection, limit=BATCH, without=self._held_up.now(loop.time()))
            if batch:
                await self._publish(connection, batch)
            if len(batch) < BATCH:
                await self._rest()

    async def _look_after(self, connection: Raw, *, at: float) -> None:
        """What is done now and then, however often the leadership changes: measure, and forget."""
        if at >= self._next_lag:
            self._next_lag = at + _LAG_EVERY_S
            await _observe_lag(connection)
        if at >= self._next_purge:
            more = await self._purge(connection)
            self._next_purge = at if more else at + PURGE_EVERY_S

    async def _purge(self, connection: Raw) -> bool:
        """Whether there is more. That it fails costs no leadership: a dead connection fails at its next use."""
        try:
            async with asyncio.timeout(_PURGE_TIMEOUT_S):
                return await outbox.purge(connection, limit=PURGED_AT_ONCE, **self._keep)
        except Exception as error:
            log.warning("nothing was purged; it is tried again", reason=type(error).__name__)
            return False

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _publish(self, connection: Raw, batch: Sequence[rows.Row]) -> None:
        """Publish and mark. What failed stays, with all that follows it in its session.

        note-generator is woken first: where that is refused, no subscriber sees the same events again and again.
        """
        await wake_note_generator(self._publisher, batch)
        done = await publish_in_order(self._publisher, batch, between=partial(self._touch, connection))
        if done:
            await self._checkpoint("relay: after confirm, before mark")
            await outbox.mark_published(connection, [entry["position"] for entry in done])
            published_total.inc(len(done))
        there = {entry["position"] for entry in done}
        refused = {entry["session_id"] for entry in batch if entry["position"] not in there}
        if refused and not self._publisher.ready:
            raise NotPublished(f"{len(batch) - len(done)} of {len(batch)} events")
        self._held_up.note(
            refused=refused,
            published={entry["session_id"] for entry in done} - refused,
            at=asyncio.get_running_loop().time(),
        )

    async def _touch(self, connection: Raw) -> None:
        """Ask something, where a slow broker keeps the relay: else the server would take it for one that is gone."""
        at = asyncio.get_running_loop().time()
        if at >= self._next_touch:
            self._next_touch = at + _TOUCH_EVERY_S
            await outbox.touch(connection)


class _HeldUp:
    """Sessions whose events some full queue refuses: they wait a while, so that all the others go on."""

    def __init__(self) -> None:
        self._until: dict[UUID, tuple[float, float]] = {}

    def now(self, at: float) -> list[UUID]:
        """Those that are not to be tried yet."""
        return [session_id for session_id, (until, _) in self._until.items() if until > at]

    def note(self, *, refused: Set[UUID], published: Set[UUID], at: float) -> None:
        """What became of a batch."""
        for session_id in published:
            self._until.pop(session_id, None)
        for session_id in refused:
            _, last_s = self._until.get(session_id, (at, _FIRST_HOLD_S / 2))
            hold_s = min(last_s * 2, _LONGEST_HOLD_S)
            self._until[session_id] = at + hold_s, hold_s
        if refused:
            log.warning("a queue refuses events; their sessions wait", sessions=len(refused))


async def _observe_lag(connection: Raw) -> None:
    waiting, seconds = await outbox.lag(connection)
    lag_rows.set(waiting)
    lag_seconds.set(seconds)
