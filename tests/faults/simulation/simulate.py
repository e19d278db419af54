"""One seed: load, harm, healing, rest, and the verdict of the same invariants as everywhere."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final
from uuid import UUID

import orjson
from shared.contracts import topology
from shared.contracts.cache import NOTE_FIELD, VERSION_FIELD, note_key
from shared.contracts.vocabulary import NoteKind

from faults import checker
from faults.checker import Report, Verdict
from faults.client import Habits
from faults.history import Attempt, Expectation, Fault, History, Request, Result
from faults.invariants.evidence import Evidence
from faults.record import Record, Row
from faults.recorder import Recorder
from faults.simulation.cluster import Cluster
from faults.simulation.harm import Harmer
from faults.simulation.rabbitmq import depths
from faults.simulation.world import World

_LOAD_S: Final = 1.4
_REST_S: Final = 90.0
_NEEDED: Final = frozenset({"data"})
"""A run is short: not every invariant has something to look at in each, but each has in many of them."""

_CACHE_IS_BACK_S: Final = 2.0
_HABITS: Final = Habits(idle_s=1.0, cold_sessions=0)


@dataclass(slots=True)
class Notebook:
    """A history in memory, in place of a file."""

    now: Any
    attempts: list[Attempt] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def number(self) -> int:
        """The next number of a request."""
        return next(self._numbers)

    def invoke(self, _request: Request) -> float:
        """The request is about to be sent."""
        return float(self.now())

    def complete(self, request: Request, result: Result, *, began: float) -> Attempt:
        """Its result is known, or known to be unknown."""
        attempt = Attempt(request=request, result=result, began=began, ended=self.now())
        self.attempts.append(attempt)
        return attempt

    def write(self, what: str, **members: Any) -> None:
        """An account."""
        assert what == "account"
        self.accounts[members["id"]] = members["mark"]

    def expect_parked(self, expectation: Expectation) -> None:
        """Nothing is meant to be parked here."""
        raise NotImplementedError(expectation)

    def history(self, seed: str) -> History:
        """All of it."""
        attempts = tuple(sorted(self.attempts, key=lambda attempt: attempt.began))
        return History(seed, self.accounts, attempts, tuple(self.faults), ())


def simulate(seed: str) -> Report:
    """Run one seed and judge it. The same seed does the same, to the last message."""
    world = World(seed)
    report = checker.check(_evidence(world, seed), needs_data=_NEEDED)
    if world.complaints:
        report = replace(report, verdicts=(*report.verdicts, Verdict("calm", 1, tuple(world.complaints))))
    return report


def evidence_of(seed: str) -> Evidence:
    """What one seed leaves."""
    return _evidence(World(seed), seed)


def _evidence(world: World, seed: str) -> Evidence:
    with world.in_place():
        return world.loop.run(_play(world, seed))


async def _play(world: World, seed: str) -> Evidence:
    rng = Random(f"play {seed}")
    notebook = Notebook(world.loop.time)
    cluster = Cluster(world)
    cluster.start()
    await asyncio.sleep(0.2)
    load = Recorder(
        notebook,  # type: ignore[arg-type]
        seed=seed,
        send=cluster.send,
        token=lambda account, role: "",
        accounts=2,
        clients_each=1,
        habits=_HABITS,
    )
    harmer = Harmer(cluster, rng, notebook.faults.append)
    load.start()
    harmer.begin(within_s=_LOAD_S)
    await asyncio.sleep(_LOAD_S)
    stopping = asyncio.create_task(load.stop())
    await harmer.end()
    await stopping
    if harmer.notes_lost:
        await asyncio.sleep(_CACHE_IS_BACK_S)
        await load.preview()
    return await _rest(world, cluster, notebook.history(seed))


async def _rest(world: World, cluster: Cluster, history: History) -> Evidence:
    deadline = world.loop.time() + _REST_S
    while _moving(world) and world.loop.time() < deadline:  # noqa: ASYNC110 - nobody could set an event
        await asyncio.sleep(0.5)
    return Evidence(
        history=history,
        record=_record(world, cluster),
        events=tuple(cluster.events),
        stored=tuple(world.redis.stored),
        model_calls=tuple(cluster.model_calls),
    )


def _moving(world: World) -> bool:
    """Whether something is still to be published, delivered or written."""
    rows = world.postgres.tables.rows
    if any(row["published_at"] is None for row in rows["outbox"].values()):
        return True
    if any(depth for name, depth in depths(world.rabbitmq) if ".parked." not in name):
        return True
    return any(
        world.redis.hget(note_key(row["account_id"], row["id"], kind), VERSION_FIELD)
        != str(row["state_version"])
        for row in rows["sessions"].values()
        for kind in NoteKind
    )


def _record(world: World, cluster: Cluster) -> Record:
    tables = {
        name: [_plain(row) for row in rows.values()]
        for name, rows in world.postgres.tables.rows.items()
        if name != "outbox"
    }
    outbox = [
        {**_plain(row), "published": row["published_at"] is not None}
        for row in world.postgres.tables.rows["outbox"].values()
    ]
    notes = {
        key: {
            "version": int(str(world.redis.hget(key, VERSION_FIELD))),
            "note": orjson.loads(str(world.redis.hget(key, NOTE_FIELD))),
        }
        for key in world.redis.there("rf:note:")
    }
    return Record(
        tables={**tables, "outbox": outbox},
        notes=notes,
        queues=dict(depths(world.rabbitmq)),
        parked=dict(_parked(world)),
        waiting=cluster.waiting(),
    )


def _parked(world: World) -> Iterator[tuple[str, list[Row]]]:
    for work in topology.WORK_QUEUES:
        messages = world.rabbitmq.queues[work.parked].messages
        yield (
            work.parked,
            [
                {"body": wire.body.decode(), "size": len(wire.body), "headers": wire.headers}
                for wire in messages
            ],
        )


def _plain(row: Row) -> Row:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}
