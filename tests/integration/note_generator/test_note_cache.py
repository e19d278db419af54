"""One generation per version over all replicas, and a cache that only goes forward."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4

import pytest
from devstack.servers import Servers
from note_generator.aloud import Show
from note_generator.cache import Busy, Found, Granted, NoteCache, NoteRef
from note_generator.outage import CacheAway
from note_generator.single_flight import SingleFlight, Written
from note_generator_doubles import ACCOUNT, fresh_story
from patience import eventually
from redis.asyncio import Redis
from shared.contracts.views import Note, Snapshot
from shared.contracts.vocabulary import Generator, NoteKind

NOTE = NoteKind.RESOLUTION_NOTE
LEASE_S = 0.4


class Connect(Protocol):
    def __call__(self, url: str = ...) -> NoteCache: ...


@pytest.fixture
async def connect(servers: Servers) -> AsyncIterator[Connect]:
    caches: list[NoteCache] = []

    def connected(url: str = servers.redis_url) -> NoteCache:
        caches.append(NoteCache(url=url, timeout_s=0.5, ttl_s=60, lease_s=LEASE_S))
        return caches[-1]

    yield connected
    for cache in caches:
        await cache.close()


def ref_of(version: int, session: UUID | None = None) -> NoteRef:
    return NoteRef(ACCOUNT, session or uuid4(), NOTE, version)


def note_of(ref: NoteRef, words: str = "text") -> Note:
    return Note(
        session_id=ref.session_id,
        kind=ref.kind,
        state_version=ref.state_version,
        markdown=words,
        generator=Generator.TEMPLATE,
        generated_at=datetime(2030, 1, 1, tzinfo=UTC),
    )


async def granted(cache: NoteCache, ref: NoteRef) -> str:
    claim = await cache.claim(ref)
    assert isinstance(claim, Granted)
    return claim.lock


async def taken_over(cache: NoteCache, ref: NoteRef) -> str | None:
    claim = await cache.claim(ref)
    return claim.lock if isinstance(claim, Granted) else None


async def test_one_gets_the_lock_and_the_others_get_the_note(connect: Connect) -> None:
    one, other, ref = connect(), connect(), ref_of(3)
    lock = await granted(one, ref)
    assert await other.claim(ref) == Busy()
    assert await one.store(ref, note_of(ref), lock)
    assert await other.claim(ref) == Found(note_of(ref), announced=False)
    await one.mark_announced(ref)
    assert await other.claim(ref) == Found(note_of(ref), announced=True)


async def test_an_older_note_never_replaces_a_newer_one(connect: Connect) -> None:
    cache, older = connect(), ref_of(3)
    newer = ref_of(4, older.session_id)
    old_lock, new_lock = await granted(cache, older), await granted(cache, newer)
    assert await cache.store(newer, note_of(newer), new_lock)
    assert not await cache.store(older, note_of(older), old_lock)
    assert await cache.claim(older) == Found(note_of(newer), announced=False)
    await cache.mark_announced(older)
    assert await cache.claim(newer) == Found(note_of(newer), announced=False)


async def test_a_newer_note_is_not_announced_by_the_older_ones_mark(connect: Connect) -> None:
    cache, older = connect(), ref_of(3)
    newer = ref_of(4, older.session_id)
    await cache.store(older, note_of(older), await granted(cache, older))
    await cache.mark_announced(older)
    await cache.store(newer, note_of(newer), await granted(cache, newer))
    assert await cache.claim(newer) == Found(note_of(newer), announced=False)


async def test_a_writer_whose_lock_was_taken_over_writes_nothing(connect: Connect) -> None:
    zombie, successor, ref = connect(), connect(), ref_of(3)
    stale = await granted(zombie, ref)
    lock = await eventually(lambda: taken_over(successor, ref))
    assert int(lock.split(":")[0]) > int(stale.split(":")[0])
    assert not await zombie.store(ref, note_of(ref, "stale"), stale)
    assert not await zombie.renew(ref, stale)
    await zombie.release(ref, stale)
    assert await successor.renew(ref, lock)
    assert await successor.store(ref, note_of(ref, "fresh"), lock)


async def test_a_note_that_cannot_be_read_is_written_again(connect: Connect, servers: Servers) -> None:
    cache, ref = connect(), ref_of(3)
    async with Redis.from_url(servers.redis_url) as redis:
        await redis.hset(ref.note_key, mapping={"v": 3, "d": "{half a no"})
    assert await cache.claim(ref) == Busy()
    assert isinstance(await cache.claim(ref), Granted)


async def test_an_absent_redis_is_said_at_once_and_not_asked_again_and_again(connect: Connect) -> None:
    cache = connect("redis://127.0.0.1:1/0")
    began = asyncio.get_running_loop().time()
    for _ in range(100):
        with pytest.raises(CacheAway):
            await cache.claim(ref_of(1))
    assert asyncio.get_running_loop().time() - began < 1


async def test_a_closed_cache_leaves_no_connection_although_it_was_still_asked(
    connect: Connect, servers: Servers
) -> None:
    cache = connect(f"{servers.redis_url}?client_name=closed")

    async def ask_on_and_on() -> None:
        with suppress(CacheAway):
            while True:
                await cache.claim(ref_of(1))

    asking = [asyncio.ensure_future(ask_on_and_on()) for _ in range(50)]
    async with Redis.from_url(servers.redis_url, decode_responses=True) as redis:

        async def connections() -> int:
            return [client["name"] for client in await redis.client_list()].count("closed")

        await eventually(connections)
        await cache.close()
        await asyncio.gather(*asking)
        assert await connections() == 0


class Replica:
    """A single flight that counts what it is asked and what it writes, and writes while it may."""

    def __init__(self, cache: NoteCache, *, held: bool = False) -> None:
        self.asked = self.written = 0
        self.may_write = asyncio.Event()
        if not held:
            self.may_write.set()
        self.flight = SingleFlight(cache=cache, write=self._write, lease_s=LEASE_S)

    async def _write(self, ref: NoteRef, _: Snapshot, __: Show) -> Note:
        self.written += 1
        await self.may_write.wait()
        return note_of(ref, f"by {id(self)}")

    async def ask(self, snapshot: Snapshot, **more: bool) -> Written:
        self.asked += 1
        return await self.flight.note(NoteRef.of(ACCOUNT, snapshot.session, NOTE), snapshot, **more)


async def test_many_askers_in_two_replicas_get_one_note(connect: Connect) -> None:
    replicas = Replica(connect(), held=True), Replica(connect(), held=True)
    snapshot = fresh_story().snapshot()
    asking = asyncio.gather(*(replica.ask(snapshot) for replica in replicas for _ in range(100)))
    await eventually(lambda: [replica.asked for replica in replicas] == [100, 100])
    await eventually(lambda: any(replica.written for replica in replicas))
    for replica in replicas:
        replica.may_write.set()
    notes = await asking
    assert sum(replica.written for replica in replicas) == 1
    assert len({written.note.markdown for written in notes}) == 1


async def test_a_slow_writer_keeps_its_lock(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, renewed = connect(), itertools.count(1)
    renew, thrice_over = cache.renew, asyncio.Event()

    async def counted(ref: NoteRef, lock: str) -> bool:
        if next(renewed) > 9:  # three times in each lease
            thrice_over.set()
        return await renew(ref, lock)

    monkeypatch.setattr(cache, "renew", counted)
    slow, other = Replica(cache, held=True), Replica(connect())
    snapshot = fresh_story().snapshot()
    writing = asyncio.ensure_future(slow.ask(snapshot))
    await eventually(lambda: slow.written)
    waiting = asyncio.ensure_future(other.ask(snapshot))
    await asyncio.wait_for(thrice_over.wait(), timeout=10)
    slow.may_write.set()
    await asyncio.gather(writing, waiting)
    assert (slow.written, other.written) == (1, 0)


async def test_an_asker_that_gives_up_takes_the_note_from_nobody(connect: Connect) -> None:
    replica, snapshot = Replica(connect(), held=True), fresh_story().snapshot()
    impatient, patient = (
        asyncio.ensure_future(replica.ask(snapshot)),
        asyncio.ensure_future(replica.ask(snapshot)),
    )
    await eventually(lambda: (replica.asked, replica.written) == (2, 1))
    impatient.cancel()
    replica.may_write.set()
    assert (await patient).stored
    assert replica.written == 1


async def test_a_replica_that_stops_gives_its_lock_back(connect: Connect) -> None:
    leaving, staying = Replica(connect(), held=True), Replica(connect())
    snapshot = fresh_story().snapshot()
    abandoned = asyncio.ensure_future(leaving.ask(snapshot))
    await eventually(lambda: leaving.written)
    await leaving.flight.stop()
    began = asyncio.get_running_loop().time()
    assert (await staying.ask(snapshot)).stored
    assert asyncio.get_running_loop().time() - began < LEASE_S
    await asyncio.wait([abandoned])


async def test_without_redis_a_version_is_written_once_and_nothing_ahead(connect: Connect) -> None:
    replica, snapshot = Replica(connect("redis://127.0.0.1:1/0")), fresh_story().snapshot()
    with pytest.raises(CacheAway):
        await replica.ask(snapshot, ahead=True)
    assert replica.written == 0
    first, second = await replica.ask(snapshot), await replica.ask(snapshot)
    assert not first.stored
    assert first == second
    assert replica.written == 1


async def test_a_failed_generation_fails_its_askers_and_is_tried_again(connect: Connect) -> None:
    replica, snapshot = Replica(connect()), fresh_story().snapshot()
    real = replica._write

    async def broken(*_: object) -> Note:
        raise LookupError

    replica.flight._write = broken
    with pytest.raises(LookupError):
        await replica.ask(snapshot)
    replica.flight._write = real
    assert (await replica.ask(snapshot)).stored
