"""Who consumes takes leave in time, also of a broker that does not answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import aio_pika
import pytest
from faststream.rabbit import RabbitMessage, RabbitQueue
from patience import eventually
from places import Broker
from proxy import proxy_to
from shared.consuming import PatientBroker, create_broker
from shared.contracts.topology import COMMANDS, FIX_OUTCOMES_COMMANDS
from shared.contracts.vocabulary import Service

from shared import consuming

SHUTDOWN_S = 0.5
MARGIN_S = 2.0  # the second for taking leave, and a busy machine


async def test_a_stop_ends_in_time_although_the_broker_is_silent_and_something_is_in_hand(
    broker: Broker,
) -> None:
    begun = asyncio.Event()

    async def never_done(_message: RabbitMessage) -> None:
        begun.set()
        await asyncio.sleep(60)

    url = broker.url(Service.FIX_OUTCOMES)
    async with proxy_to(url) as proxy:
        consumer = _consumer(proxy.url(url), never_done)
        await consumer.start()
        await _publish(broker)
        async with asyncio.timeout(10):
            await begun.wait()
        proxy.turn_deaf()
        connection = await consumer.connect()
        began = time.monotonic()
        await consumer.stop()
        assert time.monotonic() - began < SHUTDOWN_S + MARGIN_S
        # Else it tries to close itself wherever it is collected, and connects again beyond the event loop's end.
        assert connection.is_closed
        assert not [task for task in asyncio.all_tasks() if "connection_factory" in repr(task)]


async def _publish(broker: Broker) -> None:
    async with await aio_pika.connect(broker.admin_url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(COMMANDS, ensure=False)
        await exchange.publish(aio_pika.Message(b"{}"), FIX_OUTCOMES_COMMANDS.key)


async def test_a_connection_that_is_accepted_and_never_answered_is_not_waited_for(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ignore(_message: RabbitMessage) -> None: ...

    monkeypatch.setattr(consuming, "CONNECT_TIMEOUT_S", 0.5)
    url = broker.url(Service.FIX_OUTCOMES)
    async with proxy_to(url) as proxy:
        consumer = _consumer(proxy.url(url), ignore)
        await consumer.start()
        try:
            proxy.turn_deaf()
            opened = proxy.connections
            await proxy.cut()
            # RabbitMQ behind it closes what says nothing for ten seconds.
            await eventually(lambda: proxy.connections >= opened + 2, within_s=8)
            proxy.hear_again()
            await eventually(lambda: consumer.consuming)
        finally:
            proxy.hear_again()
            await consumer.stop()


def _consumer(url: str, handle: Callable[[RabbitMessage], Awaitable[None]]) -> PatientBroker:
    name = FIX_OUTCOMES_COMMANDS.name
    consumer = create_broker(amqp_url=url, queues=(name,), shutdown_s=SHUTDOWN_S)
    consumer.subscriber(RabbitQueue(name, declare=False), no_reply=True)(handle)
    return consumer
