"""The relay's way to publish, on a real broker: many events in one write, each confirmed."""

from uuid import uuid4

import aio_pika
from places import Broker
from shared.contracts import topology
from shared.contracts.events import CONTENT_TYPE, routing_key
from shared.contracts.examples import ACCOUNT
from shared.contracts.vocabulary import Service
from shared.publisher import Announcement, Publisher

FRAME = 131_072
"""The longest that RabbitMQ takes in one piece."""


async def test_an_event_longer_than_a_frame_holds_nobody_up(broker: Broker) -> None:
    """Otherwise whoever escalates a session with thousands of parked fixes stops the events of every account."""
    key = routing_key(ACCOUNT, uuid4(), "session.escalated")
    bodies = [b"short", b"x" * (FRAME - 8), b"y" * (FRAME + 1), b"z" * (3 * FRAME), b"", b"last"]
    publisher = Publisher(
        url=broker.url(Service.FIX_OUTCOMES), service=Service.FIX_OUTCOMES, replica="1", purpose="announces"
    )
    await publisher.start()
    try:
        async with await aio_pika.connect(broker.admin_url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(exclusive=True)
            await queue.bind(topology.EVENTS, key)

            assert all(await publisher.announce([_event(key, body) for body in bodies]))

            told = [await queue.get(no_ack=True) for _ in bodies]
        assert [message.body for message in told] == bodies
    finally:
        await publisher.stop()


def _event(key: str, body: bytes) -> Announcement:
    return Announcement(
        body=body, exchange=topology.EVENTS, routing_key=key, message_id="m", content_type=CONTENT_TYPE
    )
