"""Each document is written once per version, however many ask for it, in however many replicas.

In this process callers share one task. Between replicas a lock in Redis decides; whoever does not get it waits for
the note to appear, or for the lock's lease to end because its holder died.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from shared.contracts.views import Note, NoteSoFar, Snapshot

from note_generator.aloud import Show, unseen
from note_generator.cache import Busy, Found, Granted, NoteCache, NoteRef
from note_generator.metrics import LOOKUPS
from note_generator.outage import CacheAway

_FIRST_LOOK_S: Final = 0.02
_LAST_LOOK_S: Final = 0.25
_KEPT: Final = 256

Write = Callable[[NoteRef, Snapshot, Show], Awaitable[Note]]


@dataclass(frozen=True, slots=True)
class Written:
    """A note, whether the cache has it, and whether the event about it is known to be out."""

    note: Note
    stored: bool
    announced: bool = False


class SingleFlight:
    """Gives the note of a version, writing it if nobody has."""

    def __init__(self, *, cache: NoteCache, write: Write, lease_s: float) -> None:
        self._cache, self._write, self._lease_s = cache, write, lease_s
        self._flights: dict[NoteRef, asyncio.Task[Written]] = {}
        # What Redis would not take: it costs no second call when it is asked for again.
        self._unstored: OrderedDict[NoteRef, Note] = OrderedDict()

    async def note(self, ref: NoteRef, snapshot: Snapshot, *, ahead: bool = False) -> Written:
        """The note of this version, or a newer one. Ends only with it: callers bring their own deadline.

        `ahead` of any demand nothing is written that could not be kept: raises `CacheAway` instead.
        """
        while True:
            flight = self._flights.get(ref)
            # One that is over, and not yet forgotten, would end this at once, again and again.
            if flight is None or flight.done():
                flight = self._start(ref, snapshot, ahead=ahead)
            try:
                # One caller that gives up must not take the note from the others.
                return await asyncio.shield(flight)
            except CacheAway:
                if ahead:
                    raise

    def _start(self, ref: NoteRef, snapshot: Snapshot, *, ahead: bool) -> asyncio.Task[Written]:
        flight = asyncio.create_task(self._fly(ref, snapshot, ahead=ahead), name=f"write {ref.kind}")
        self._flights[ref] = flight
        flight.add_done_callback(lambda done: self._landed(ref, done))
        return flight

    async def stop(self) -> None:
        """End what is being written; its locks are given back."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _landed(self, ref: NoteRef, flight: asyncio.Task[Written]) -> None:
        if self._flights.get(ref) is flight:
            del self._flights[ref]
        if not flight.cancelled():
            flight.exception()  # every caller may have gone: its exception was seen all the same

    async def _fly(self, ref: NoteRef, snapshot: Snapshot, *, ahead: bool) -> Written:
        try:
            return await self._fly_with_cache(ref, snapshot)
        except CacheAway:
            LOOKUPS.labels("away").inc()
            if ahead:
                raise
            return Written(await self._once(ref, snapshot, unseen), stored=False)

    async def _fly_with_cache(self, ref: NoteRef, snapshot: Snapshot) -> Written:
        pause_s = _FIRST_LOOK_S
        while True:
            claim = await self._cache.claim(ref)
            match claim:
                case Found():
                    LOOKUPS.labels("hit").inc()
                    return Written(claim.note, stored=True, announced=claim.announced)
                case Granted():
                    LOOKUPS.labels("miss").inc()
                    note = await self._write_under_lock(ref, snapshot, claim.lock)
                    if await self._cache.store(ref, note, claim.lock):
                        self._unstored.pop(ref, None)
                        return Written(note, stored=True)
                case Busy():
                    await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                    pause_s = min(pause_s * 2, _LAST_LOOK_S)

    async def _write_under_lock(self, ref: NoteRef, snapshot: Snapshot, lock: str) -> Note:
        try:
            async with self._renewed(ref, lock):
                return await self._once(ref, snapshot, partial(self._show, ref, lock))
        except BaseException:
            with suppress(CacheAway):
                await self._cache.release(ref, lock)
            raise

    async def _show(self, ref: NoteRef, lock: str, so_far: NoteSoFar) -> None:
        with suppress(CacheAway):
            await self._cache.show(ref, so_far, lock)

    async def _once(self, ref: NoteRef, snapshot: Snapshot, show: Show) -> Note:
        note = self._unstored.get(ref)
        if note is None:
            note = self._unstored[ref] = await self._write(ref, snapshot, show)
            while len(self._unstored) > _KEPT:
                self._unstored.popitem(last=False)
        return note

    @asynccontextmanager
    async def _renewed(self, ref: NoteRef, lock: str) -> AsyncIterator[None]:
        renewing = asyncio.create_task(self._keep_renewing(ref, lock))
        try:
            yield
        finally:
            renewing.cancel()

    async def _keep_renewing(self, ref: NoteRef, lock: str) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            with suppress(CacheAway):
                if not await self._cache.renew(ref, lock):
                    return
