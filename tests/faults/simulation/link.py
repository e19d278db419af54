"""A connection to the in-memory RabbitMQ: what it delivers, and what becomes of that when it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any

from aio_pika.exceptions import AMQPConnectionError, ChannelInvalidStateError

from faults.simulation.loop import here
from faults.simulation.rabbitmq import Consumer, Queue, RabbitMQ, Wire

Deliver = Callable[["Delivered"], Awaitable[object]]


class Delivered:
    """A message as a consumer has it: raw, and as FastStream shows it."""

    def __init__(self, connection: "Link", queue: Queue, consumer: Consumer, wire: Wire) -> None:
        self._connection, self._queue, self._consumer, self._wire = connection, queue, consumer, wire
        self._settled = False
        self.body, self.routing_key, self.message_id = wire.body, wire.routing_key, wire.message_id
        self.reply_to, self.user_id = wire.reply_to or "", wire.user_id
        self.expiration = wire.expires_s
        self.timestamp = None
        count = {"x-delivery-count": wire.deliveries} if wire.deliveries else {}
        self.headers: dict[str, Any] = {**wire.headers, **count}

    @property
    def raw_message(self) -> "Delivered":
        return self

    async def ack(self) -> None:
        """Acknowledged, unless the connection is gone."""
        await self._settle(lambda: self._done(returned=False))

    async def nack(self, *, requeue: bool) -> None:
        """Given back."""
        assert requeue, "the product never throws a message away"
        await self._settle(lambda: self._done(returned=True))

    async def _settle(self, arrived: Callable[[], None]) -> None:
        if self._connection.ended:
            raise ChannelInvalidStateError("the channel is closed")
        await self._connection.rabbitmq.network.hop()
        if not self._connection.ended:
            arrived()

    def lost(self) -> None:
        """The connection went while this was in hand: the broker delivers it again."""
        self._done(returned=True)

    def taken(self) -> None:
        """Delivered to somebody who does not acknowledge."""
        self._done(returned=False)

    def _done(self, *, returned: bool) -> None:
        if self._settled:
            return
        self._settled = True
        self._consumer.unacknowledged -= 1
        self._connection.in_hand.pop(self, None)
        rabbitmq = self._connection.rabbitmq
        if returned:
            rabbitmq.returned(self._queue, self._wire)
        else:
            self._queue.unacknowledged -= 1
        rabbitmq.pump(self._queue)


class Callbacks(list[Callable[..., object]]):
    """Called when something closes."""

    def add(self, callback: Callable[..., object]) -> None:
        """One more."""
        self.append(callback)


class Link:
    """A connection of one process, without its channels."""

    def __init__(self, rabbitmq: RabbitMQ) -> None:
        self.rabbitmq = rabbitmq
        self.process = here()
        self.ended = False
        self.close_callbacks = Callbacks()
        self.in_hand: dict[Delivered, None] = {}
        self._consumers: list[tuple[Queue, Consumer]] = []
        self._exclusive: list[Queue] = []
        self._context = copy_context()

    async def hop(self) -> None:
        """To the broker, or back. Raises AMQPConnectionError where the connection is gone by then."""
        await self.rabbitmq.network.hop()
        if self.ended:
            raise AMQPConnectionError("the connection is closed")

    async def close(self) -> None:
        """End it."""
        self.end()

    def end(self) -> None:
        """It is gone: what was in hand is delivered again, its own queues are deleted, its callbacks are called."""
        if self.ended:
            return
        self.ended = True
        for queue, consumer in self._consumers:
            if consumer in queue.consumers:
                queue.consumers.remove(consumer)
        for queue in self._exclusive:
            self.rabbitmq.delete(queue)
        for delivered in reversed(list(self.in_hand)):
            delivered.lost()
        for callback in self.close_callbacks:
            asyncio.get_running_loop().call_soon(callback, self, None, context=self._context)

    def own(self, queue: Queue) -> None:
        """An exclusive queue: it goes with the connection."""
        self._exclusive.append(queue)

    def consume(self, queue: Queue, handle: Deliver, *, prefetch: int, acknowledged: bool) -> None:
        """Take from a queue; every message is a task of this connection's process."""

        context = copy_context()

        def deliver(queue: Queue, wire: Wire, at: float) -> None:
            delivered = Delivered(self, queue, consumer, wire)
            if acknowledged:
                delivered.taken()
            else:
                self.in_hand[delivered] = None
            asyncio.get_running_loop().call_at(at, self._arrive, handle, delivered, context=context)

        consumer = Consumer(deliver, prefetch)
        self._consumers.append((queue, consumer))
        queue.consumers.append(consumer)
        self.rabbitmq.pump(queue)

    def _arrive(self, handle: Deliver, delivered: Delivered) -> None:
        if not self.ended:
            asyncio.get_running_loop().create_task(_handled(handle, delivered))


async def _handled(handle: Deliver, delivered: Delivered) -> None:
    await handle(delivered)
