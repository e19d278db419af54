"""The waiting room: nothing is settled early, nothing is forgotten, nothing is done twice without need."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from note_generator.outage import Away
from note_generator.waiting_room import (
    Delivery,
    Handled,
    NotQuiet,
    Patience,
    SessionKey,
    Waiting,
    WaitingRoom,
)
from patience import eventually
from shared.contracts.events import StateChange
from unit.note_generator.jumping_loop import on_a_jumping_clock

ACCOUNT = UUID(int=1)


def change(session: int, version: int = 1) -> StateChange:
    return StateChange(account_id=ACCOUNT, session_id=UUID(int=session), state_version=version)


@dataclass
class Scene:
    """A room, with the handler played."""

    written: list[int] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    set_aside: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    results: dict[int, list[Handled | NotQuiet | Exception]] = field(default_factory=dict)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    ladder: asyncio.Event = field(default_factory=asyncio.Event)
    at_the_ladder: list[int] = field(default_factory=list)
    ladder_is_away: bool = False

    def delivery(self, name: str, attempts: int = 0) -> Delivery:
        async def settle() -> None:
            self.settled.append(name)

        return Delivery(settle, attempts=attempts)

    async def regenerate(self, key: SessionKey, _patience_s: float) -> Handled | NotQuiet:
        session = key.session_id.int
        self.written.append(session)
        await self.gate.wait()
        results = self.results.get(session)
        result = results.pop(0) if results else Handled(1)
        if isinstance(result, Exception):
            raise result
        return result

    async def put_aside(self, waiting: Waiting, _: Exception) -> None:
        if self.ladder_is_away:
            self.refused.append(waiting.key.session_id.int)
            raise Away
        self.at_the_ladder.append(waiting.attempts)
        await self.ladder.wait()
        self.set_aside.append(waiting.key.session_id.int)

    @asynccontextmanager
    async def room(
        self, *, quiet_s: float = 0.03, max_wait_s: float = 0.2, max_sessions: int = 100
    ) -> AsyncIterator[WaitingRoom]:
        room = WaitingRoom(
            patience=Patience(quiet_s=quiet_s, max_wait_s=max_wait_s),
            max_sessions=max_sessions,
            workers=2,
            regenerate=self.regenerate,
            set_aside=self.put_aside,
        )
        room.start()
        try:
            yield room
        finally:
            await room.stop(within_s=0.1)


async def until_empty(room: WaitingRoom) -> None:
    await eventually(lambda: not len(room))


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.gate.set()
    scene.ladder.set()
    return scene


@on_a_jumping_clock
async def test_a_delivery_is_settled_when_its_last_session_is_written(scene: Scene) -> None:
    scene.gate.clear()
    async with scene.room() as room:
        await room.take(scene.delivery("a"), [change(1), change(2), change(1)])
        await eventually(lambda: len(scene.written) == 2)
        assert scene.settled == []
        scene.gate.set()
        await until_empty(room)
    assert sorted(scene.written) == [1, 2]
    assert scene.settled == ["a"]


@on_a_jumping_clock
async def test_a_newer_delivery_settles_the_one_it_replaces(scene: Scene) -> None:
    async with scene.room(quiet_s=10, max_wait_s=10) as room:
        await room.take(scene.delivery("a"), [change(1), change(2)])
        await room.take(scene.delivery("b"), [change(1)])
        assert scene.settled == []
        await room.take(scene.delivery("c"), [change(2)])
        assert scene.settled == ["a"]
    assert scene.settled == ["a"], "what is not done is not acknowledged at the end"


@on_a_jumping_clock
async def test_a_burst_is_written_once(scene: Scene) -> None:
    async with scene.room(quiet_s=0.05, max_wait_s=10) as room:
        for n in range(20):
            await room.take(scene.delivery(str(n)), [change(1, n)])
            await asyncio.sleep(0.04)
        scene.results[1] = [Handled(19)]
        await until_empty(room)
    assert scene.written == [1]
    assert len(scene.settled) == 20


@on_a_jumping_clock
async def test_a_change_during_the_writing_is_written_too(scene: Scene) -> None:
    scene.gate.clear()
    scene.results[1] = [Handled(1), Handled(2)]
    async with scene.room() as room:
        await room.take(scene.delivery("a"), [change(1, 1)])
        await eventually(lambda: scene.written == [1])
        await room.take(scene.delivery("b"), [change(1, 2)])
        scene.gate.set()
        await until_empty(room)
    assert scene.written == [1, 1]
    assert scene.settled == ["a", "b"]


@on_a_jumping_clock
async def test_a_change_that_the_snapshot_had_already_costs_nothing_more(scene: Scene) -> None:
    scene.gate.clear()
    scene.results[1] = [Handled(2)]
    async with scene.room() as room:
        await room.take(scene.delivery("a"), [change(1, 1)])
        await eventually(lambda: scene.written == [1])
        await room.take(scene.delivery("b"), [change(1, 2)])
        scene.gate.set()
        await until_empty(room)
    assert scene.written == [1]
    assert scene.settled == ["a", "b"]


@on_a_jumping_clock
async def test_not_quiet_comes_back_later(scene: Scene) -> None:
    scene.results[1] = [NotQuiet(0.05), Handled(1)]
    async with scene.room() as room:
        await room.take(scene.delivery("a"), [change(1)])
        await until_empty(room)
    assert scene.written == [1, 1]
    assert scene.settled == ["a"]


@on_a_jumping_clock
async def test_an_outage_keeps_the_session_and_sets_nothing_aside(scene: Scene) -> None:
    scene.results[1] = [Away(), Away(), Handled(1)]
    async with scene.room() as room:
        await room.take(scene.delivery("a"), [change(1)])
        await eventually(lambda: scene.written == [1, 1])
        assert scene.settled == []
        await until_empty(room)
    assert scene.written == [1, 1, 1]
    assert scene.set_aside == []
    assert scene.settled == ["a"]


@on_a_jumping_clock
async def test_a_failure_sets_that_session_aside_alone(scene: Scene) -> None:
    scene.results[1] = [ValueError()]
    async with scene.room() as room:
        await room.take(scene.delivery("a"), [change(1), change(2)])
        await until_empty(room)
    assert scene.set_aside == [1]
    assert sorted(scene.written) == [1, 2]
    assert scene.settled == ["a"]


@on_a_jumping_clock
async def test_a_change_while_a_failure_is_set_aside_is_tried_too(scene: Scene) -> None:
    scene.results[1] = [ValueError(), Handled(2)]
    scene.ladder.clear()
    async with scene.room() as room:
        await room.take(scene.delivery("a", attempts=3), [change(1, 1)])
        await eventually(lambda: scene.at_the_ladder == [3])
        await room.take(scene.delivery("b"), [change(1, 2)])
        scene.gate.clear()
        scene.ladder.set()
        await eventually(lambda: scene.written == [1, 1])
        assert scene.settled == ["a"]
        scene.gate.set()
        await until_empty(room)
    assert scene.set_aside == [1]
    assert scene.settled == ["a", "b"]


@on_a_jumping_clock
async def test_a_change_during_a_writing_that_fails_is_tried_before_anything_is_set_aside(
    scene: Scene,
) -> None:
    scene.gate.clear()
    scene.results[1] = [ValueError(), ValueError()]
    async with scene.room() as room:
        await room.take(scene.delivery("a", attempts=3), [change(1, 1)])
        await eventually(lambda: scene.written == [1])
        await room.take(scene.delivery("b"), [change(1, 2)])
        scene.gate.set()
        await until_empty(room)
    assert scene.written == [1, 1]
    assert scene.at_the_ladder == [0], "a new change has all its attempts before it"
    assert scene.settled == ["a", "b"]


@on_a_jumping_clock
async def test_what_cannot_be_set_aside_is_kept(scene: Scene) -> None:
    scene.results[1] = [ValueError(), Handled(1)]
    scene.ladder_is_away = True
    async with scene.room() as room:
        await room.take(scene.delivery("a"), [change(1)])
        await eventually(lambda: scene.refused == [1])
        assert scene.settled == []
        await until_empty(room)
    assert scene.set_aside == []
    assert scene.settled == ["a"]


@on_a_jumping_clock
async def test_a_full_room_takes_no_more_until_there_is_space(scene: Scene) -> None:
    scene.gate.clear()
    async with scene.room(max_sessions=2) as room:
        await room.take(scene.delivery("a"), [change(1), change(2)])
        third = asyncio.create_task(room.take(scene.delivery("b"), [change(3)]))
        await eventually(lambda: len(scene.written) == 2)
        assert not third.done()
        assert len(room) == 2
        scene.gate.set()
        await third
        await until_empty(room)
    assert sorted(scene.settled) == ["a", "b"]
