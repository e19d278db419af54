"""Relays of its own for each test, which wait little, and who hears them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aio_pika
import pytest
from fix_outcomes import relay as relay_module
from places import Broker, Database
from relays import Relays, Subscriber
from shared.contracts import topology


@pytest.fixture
async def subscriber(broker: Broker) -> AsyncIterator[Subscriber]:
    subscriber = Subscriber()
    connection = await aio_pika.connect(broker.admin_url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=500)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(topology.EVENTS, routing_key="#")
        await queue.consume(subscriber.hear, no_ack=True)
        changes = await channel.declare_queue(exclusive=True)
        await changes.bind(topology.CHANGES, routing_key=topology.NOTE_GENERATOR_STATE_CHANGES.key)
        await changes.consume(subscriber.hear_change, no_ack=True)
        yield subscriber


@pytest.fixture(autouse=True)
async def quick(monkeypatch: pytest.MonkeyPatch, owner: Any) -> None:
    """A relay that waits little; and nothing left over by the test before."""
    monkeypatch.setattr(relay_module, "_STANDBY_S", 0.02)
    await owner.execute("delete from outbox")


@pytest.fixture
async def relays(broker: Broker, database: Database) -> AsyncIterator[Relays]:
    async with AsyncExitStack() as stack:
        yield Relays(stack, broker, database)
