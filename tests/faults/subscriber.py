"""Somebody else who listens: an own queue on `rf.events`, and every delivery written down before it is acknowledged."""

import logging
from dataclasses import dataclass
from typing import Any, Final, Self

import aio_pika
import orjson
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustChannel, AbstractRobustConnection
from shared.contracts import topology

QUEUE: Final = "faults.events"

_TAKEN_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery of one event. `body` is the CloudEvent."""

    routing_key: str
    message_id: str | None
    body: dict[str, Any]

    @property
    def account(self) -> str:
        """Whose event the routing key says it is."""
        return self.routing_key.partition(".")[0]


class Subscriber:
    """Listens to everything for as long as a stack runs; its queue outlives the broker's restarts."""

    def __init__(self, amqp_url: str) -> None:
        self._url = amqp_url
        self._connection: AbstractRobustConnection | None = None
        self._channel: AbstractRobustChannel | None = None
        self.received: list[Received] = []

    async def __aenter__(self) -> Self:
        for library in ("aiormq", "aio_pika"):
            logging.getLogger(library).setLevel(logging.CRITICAL)  # that the broker dies is no news here
        self._connection = await aio_pika.connect_robust(self._url, reconnect_interval=_TAKEN_S)
        # Kept, because the connection remembers only channels that somebody holds: others do not come back.
        self._channel = await self._connection.channel()
        await self._channel.set_qos(prefetch_count=200)
        queue = await self._channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(topology.EVENTS, routing_key="#")
        await queue.consume(self._take)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _take(self, message: AbstractIncomingMessage) -> None:
        body = orjson.loads(message.body)
        self.received.append(Received(str(message.routing_key), message.message_id, body))
        await message.ack()
