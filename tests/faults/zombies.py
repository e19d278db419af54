"""Processes that sleep through a while in which others take over what they had in hand, and then go on with it."""

import asyncio
from collections.abc import Mapping
from typing import Final

import asyncpg
from redis.asyncio import Redis

from faults import record
from faults.client import SESSIONS
from faults.experiment import Experiment, Scene
from faults.injector import NotInTime, until

_LEASE_IS_OVER_S: Final = 2.5
_NEWER_WITHIN_S: Final = 20.0
_LEADER: Final = """
select a.pid, a.application_name from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.objid = 7261001 and l.granted
"""
_END: Final = (
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = any ($1::text[])"
)


async def _decides(scene: Scene) -> None:
    """Its messages are given to the other replica, which waits for its row locks; it wakes and commits."""
    async with scene.injector.asleep("fix-outcomes", "commands: before commit"):
        scene.stage.links["fix-outcomes-rabbitmq"].reset()
        await asyncio.sleep(3)


async def _decides_too_late(scene: Scene) -> None:
    """Its messages are given to the other replica, and so are its locks: it wakes with a transaction that has ended."""
    async with scene.injector.asleep("fix-outcomes", "commands: before commit") as sleeper:
        scene.stage.links["fix-outcomes-rabbitmq"].reset()
        await _end_connections(scene, f"fix-outcomes {sleeper}", f"fix-outcomes {sleeper} relay")
        await scene.more(20)


async def _relays(scene: Scene) -> None:
    """It lost its lock while it slept; another published and marked; it wakes and believes that it still leads."""
    async with scene.injector.asleep("fix-outcomes", "relay: after confirm, before mark") as sleeper:
        await _end_connections(scene, f"fix-outcomes {sleeper} relay")
        leaders: list[str] = []

        async def look() -> None:
            leaders[:] = [row["application_name"] for row in await _fetch(scene, _LEADER)]

        async with asyncio.timeout(10):
            while not leaders or leaders[0] == f"fix-outcomes {sleeper} relay":
                await look()
                await asyncio.sleep(0.1)
        await scene.more(20)


async def _announces(scene: Scene) -> None:
    """It stored a note and sleeps; the delivery goes to the other replica, which announces; so does it."""
    async with scene.injector.asleep("note-generator", "after store before announce"):
        scene.stage.links["note-generator-rabbitmq"].reset()
        await asyncio.sleep(_LEASE_IS_OVER_S)


async def _generates(scene: Scene) -> None:
    """Its lease ends while it sleeps in the model's call; what it then wants to store is older than what is there."""
    goal = len(scene.stage.llm.wrote) + 2
    await until("the model writes", lambda: len(scene.stage.llm.wrote) >= goal)
    async with scene.injector.asleep("note-generator", "during the LLM call"):
        in_work = await _in_work(scene)
        scene.stage.links["note-generator-rabbitmq"].reset()
        changed = {key: version for key, version in in_work.items() if await _changes(scene, key)}
        await asyncio.gather(_newer_are_there(scene, changed), asyncio.sleep(_LEASE_IS_OVER_S))


async def _in_work(scene: Scene) -> Mapping[str, int]:
    """The notes on whose next version somebody has the lock, with that version."""
    async with Redis.from_url(scene.stage.addresses.redis_url, decode_responses=True) as redis:
        locks = [
            key.rpartition(":")
            for account in scene.load.accounts
            async for key in redis.scan_iter(match=f"rf:lock:{account.id}:*", count=1_000)
        ]
    assert locks, "nobody is writing a note"
    return {of.replace("lock", "note", 1): int(version) for of, _, version in locks}


async def _changes(scene: Scene, note: str) -> bool:
    """Something happens of which this note is to tell; False where its session was closed just now."""
    _, _, account_id, session, _ = note.split(":")
    account = next(each for each in scene.load.accounts if each.id == account_id)
    request = scene.load.request(
        "colleague",
        account,
        "add_message",
        "POST",
        f"{SESSIONS}/{session}/messages",
        session=session,
        key=f"k-{next(account.keys)}",
        body={"role": "engineer", "content": f"{account.mark} restarted the spooler"},
    )
    done = await scene.load.call(request, account.token)
    assert done.decided, f"{done}: no change while a note-generator sleeps"
    return done.accepted


async def _newer_are_there(scene: Scene, versions: Mapping[str, int]) -> None:
    """Wait until each note is of a later version. Raises NotInTime."""
    accounts = [account.id for account in scene.load.accounts]
    try:
        async with asyncio.timeout(_NEWER_WITHIN_S):
            there: Mapping[str, record.Row] = {}
            while any(key not in there or there[key]["version"] <= versions[key] for key in versions):
                there = await record.notes(scene.stage.addresses.redis_url, accounts)
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise NotInTime("newer notes while a note-generator sleeps") from None


async def _end_connections(scene: Scene, *applications: str) -> None:
    assert await _fetch(scene, _END, applications), f"no connection of {applications}"


async def _fetch(scene: Scene, query: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(scene.stage.addresses.database_url)
    try:
        return list(await connection.fetch(query, *arguments))
    finally:
        await connection.close()


ZOMBIES: Final = (
    Experiment("zombie-decides", _decides, replicas=2),
    Experiment("zombie-decides-too-late", _decides_too_late, replicas=2),
    Experiment("zombie-relays", _relays, replicas=2),
    Experiment("zombie-announces", _announces, replicas=2),
    Experiment("zombie-generates", _generates, replicas=2, model=True),
)
