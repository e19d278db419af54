"""What is watched is bound anew on each connection, however many watch and however slow the broker is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest
from gateway.updates import Updates, Viewer
from patience import eventually
from unit.gateway.gateway_doubles import ACCOUNT

MANY = 120


class Wire:
    """Stands in for a connection, its channels and its queue: binds at once, and answers when the test says so."""

    def __init__(self) -> None:
        self.name = "updates"
        self.close_callbacks: set[Callable[..., None]] = set()
        self.bound: list[str] = []
        self.round_trips = 0
        self.answers = asyncio.Event()
        self.channel = self._channel()

    def _channel(self) -> Any:
        """Awaited and called like a connection's, and looked at like a queue's."""
        wire = self

        class Channel:
            async def __call__(self, **_: object) -> Wire:
                return wire

            async def get_underlay_channel(self) -> Wire:
                return wire

        return Channel()

    async def declare_queue(self, name: str, **_: object) -> "Wire":
        return self

    async def consume(self, *_: object, **__: object) -> None:
        return

    async def queue_bind(self, queue: str, exchange: str, routing_key: str, *, nowait: bool) -> None:
        assert nowait
        self.bound.append(routing_key)

    async def bind(self, exchange: str, routing_key: str) -> None:
        self.bound.append(routing_key)
        self.round_trips += 1
        await self.answers.wait()

    async def unbind(self, exchange: str, routing_key: str) -> None:
        """As with RabbitMQ, what is not bound may be unbound too."""
        self.bound = [bound for bound in self.bound if bound != routing_key]


class Hub:
    """Streams of many sessions that are open before there is a connection."""

    def __init__(self) -> None:
        self.updates = Updates(
            url="amqp://nowhere", replica="gateway-1", viewers=MANY, viewers_each=MANY, buffer=1
        )
        self.viewers: list[Viewer] = []
        self.streams: list[AsyncExitStack] = []
        self.topics = [f"{ACCOUNT}.{UUID(int=number)}.#" for number in range(MANY)]

    async def open(self) -> None:
        for number in range(MANY):
            stream = AsyncExitStack()
            seat = self.updates.watch(account_id=ACCOUNT, session_id=UUID(int=number))
            self.viewers.append(await stream.enter_async_context(seat))
            self.streams.append(stream)

    async def connect(self, wire: Wire | None = None) -> Wire:
        wire = wire or Wire()
        async with asyncio.timeout(5):
            await self.updates._set_up(wire)  # type: ignore[arg-type]  # of a connection it has what is used
        return wire

    async def close(self) -> None:
        self.updates._on_lost()
        for stream in self.streams:
            await stream.aclose()


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    hub = Hub()
    await hub.open()
    yield hub
    await hub.close()


async def test_a_connection_is_set_up_before_the_broker_has_bound_anything(hub: Hub) -> None:
    wire = await hub.connect()
    await eventually(lambda: wire.round_trips)
    assert not any(viewer._behind for viewer in hub.viewers)


async def test_every_viewer_catches_up_once_its_session_is_bound(hub: Hub) -> None:
    wire = await hub.connect()
    wire.answers.set()
    for viewer in hub.viewers:
        assert await viewer.wait(20)
        assert not viewer.caught_up()
    assert wire.bound == hub.topics


async def test_many_are_bound_in_few_round_trips(hub: Hub) -> None:
    wire = await hub.connect()
    wire.answers.set()
    await eventually(lambda: len(wire.bound) == MANY)
    assert wire.round_trips <= MANY / 20


async def test_what_nobody_watches_any_more_is_not_bound(hub: Hub) -> None:
    wire = await hub.connect()
    await eventually(lambda: wire.round_trips)
    leaving = asyncio.create_task(hub.streams[-1].aclose())
    await eventually(lambda: hub.updates.viewers < MANY)
    wire.answers.set()
    await leaving
    assert await hub.viewers[-2].wait(20)
    assert wire.bound == hub.topics[:-1]


async def test_a_broker_that_does_not_answer_for_a_part_is_left(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.updates._BIND_TIMEOUT_S", 0.01)
    wire = await hub.connect()
    await asyncio.wait_for(hub.updates._connection._drop.wait(), 20)
    assert wire.round_trips == 1
    assert not any(viewer._behind for viewer in hub.viewers)


async def test_a_connection_whose_bindings_fail_for_whatever_reason_is_left(hub: Hub) -> None:
    wire = Wire()
    del wire.name
    await hub.connect(wire)
    await asyncio.wait_for(hub.updates._connection._drop.wait(), 20)


async def test_the_next_connection_binds_all_that_is_watched(hub: Hub) -> None:
    await hub.connect()
    hub.updates._on_lost()
    wire = await hub.connect()
    wire.answers.set()
    await eventually(lambda: wire.bound == hub.topics)
