"""The client's side of the in-memory RabbitMQ: as much of aio-pika's and aiormq's interface as the product uses."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from aio_pika import Message
from aio_pika.exceptions import AMQPConnectionError, ChannelInvalidStateError, DeliveryError
from pamqp.commands import Basic

from faults.simulation.link import Callbacks, Deliver, Link
from faults.simulation.rabbitmq import Queue, RabbitMQ, Wire

_TRANSIENT: Final = 1


class Channel:
    """A channel: aio-pika's and the one underneath in one."""

    number = 1
    max_content_size = 128 * 1024 - 8

    def __init__(self, connection: Link, *, confirms: bool) -> None:
        self._connection, self._confirms = connection, confirms
        self.close_callbacks = Callbacks()
        self.lock = asyncio.Lock()
        self.delivery_tag = 0
        self.confirmations: dict[int, asyncio.Future[Any]] = {}
        self.write_queue = self

    @property
    def is_closed(self) -> bool:
        return self._connection.ended

    async def get_underlay_channel(self) -> "Channel":
        """It is this one."""
        return self

    def create_future(self) -> "asyncio.Future[Any]":
        """For a confirm."""
        return asyncio.get_running_loop().create_future()

    async def get_exchange(self, name: str, *, ensure: bool) -> "Exchange":
        """An exchange that an administrator has declared."""
        del ensure
        return Exchange(self, name)

    async def declare_queue(self, name: str, *, exclusive: bool, **_: Any) -> "OwnQueue":
        """A queue of this connection's own."""
        assert exclusive, "services declare nothing but their own exclusive queues"
        await self._connection.hop()
        queue = self._connection.rabbitmq.declare(name, durable=False)
        self._connection.own(queue)
        return OwnQueue(self._connection, queue)

    async def basic_publish(
        self,
        body: bytes,
        *,
        exchange: str,
        routing_key: str,
        properties: Basic.Properties,
        mandatory: bool = False,
        wait: bool = False,
    ) -> None:
        """Publish, and wait for the confirm where this channel has them."""
        del wait
        await self.publish(_wire(body, exchange, routing_key, properties), mandatory=mandatory)

    async def publish(self, wire: Wire, *, mandatory: bool) -> None:
        """To the broker, and its confirm back. Raises DeliveryError where it was returned."""
        if self._connection.ended:
            raise ChannelInvalidStateError("the channel is closed")
        await self._connection.hop()
        routed = self._connection.rabbitmq.route(wire)
        if not self._confirms:
            return
        await self._connection.hop()
        if mandatory and not routed:
            raise DeliveryError(None, Basic.Return(312, "NO_ROUTE", wire.exchange, wire.routing_key))

    async def put(self, frames: list[Any]) -> None:
        """Many messages in one write, as `Publisher.announce` does it; each is confirmed by itself."""
        wires = list(_messages(frames))
        first = self.delivery_tag - len(wires) + 1
        asyncio.get_running_loop().create_task(self._announced(wires, first))

    async def _announced(self, wires: list[Wire], first: int) -> None:
        for tag, wire in enumerate(wires, first):
            confirmation = self.confirmations.pop(tag)
            try:
                await self.publish(wire, mandatory=False)
            except (AMQPConnectionError, ChannelInvalidStateError) as error:
                if not confirmation.done():
                    confirmation.set_exception(error)
            else:
                if not confirmation.done():
                    confirmation.set_result(None)


def _messages(frames: Iterable[Any]) -> Iterator[Wire]:
    """A message is its method, its header, and as many pieces of its body as that announces."""
    coming = iter(frames)
    for publish in coming:
        header, body = next(coming), b""
        while len(body) < header.body_size:
            body += next(coming).value
        yield _wire(body, publish.exchange, publish.routing_key, header.properties)


class Exchange:
    """An exchange as aio-pika shows it."""

    def __init__(self, channel: Channel, name: str) -> None:
        self._channel, self._name = channel, name

    async def publish(self, message: Message, *, routing_key: str, mandatory: bool = True) -> None:
        """Publish a message of aio-pika's."""
        wire = _wire(message.body, self._name, routing_key, message.properties)
        await self._channel.publish(wire, mandatory=mandatory)


class OwnQueue:
    """An exclusive queue as aio-pika shows it."""

    def __init__(self, connection: Link, queue: Queue) -> None:
        self._connection, self._queue = connection, queue

    async def bind(self, exchange: str, routing_key: str) -> None:
        """Have it fed."""
        await self._connection.hop()
        self._connection.rabbitmq.bind(self._queue, exchange, routing_key)

    async def consume(self, handle: Deliver, *, no_ack: bool = False) -> None:
        """Take from it."""
        await self._connection.hop()
        self._connection.consume(self._queue, handle, prefetch=1_000, acknowledged=no_ack)


class Connection(Link):
    """A connection of one process."""

    async def channel(self, *, publisher_confirms: bool = True, on_return_raises: bool = False) -> "Channel":
        """A channel on it."""
        del on_return_raises
        await self.hop()
        return Channel(self, confirms=publisher_confirms)


class Broker:
    """Where connections are made: stands in for `aio_pika` where the product connects."""

    def __init__(self, rabbitmq: RabbitMQ) -> None:
        self._rabbitmq = rabbitmq
        self.connections: list[Connection] = []

    async def connect(self, *_: object, **__: object) -> Connection:
        """A new connection. Raises AMQPConnectionError where the broker is away."""
        await self._rabbitmq.network.hop()
        if not self._rabbitmq.up:
            raise AMQPConnectionError("the broker is away")
        self.connections = [connection for connection in self.connections if not connection.ended]
        connection = Connection(self._rabbitmq)
        self.connections.append(connection)
        return connection

    def cut(self, wanted: Callable[[Connection], bool]) -> None:
        """End some connections."""
        for connection in [each for each in self.connections if wanted(each)]:
            connection.end()


def _wire(body: bytes, exchange: str, routing_key: str, properties: Basic.Properties) -> Wire:
    headers: Mapping[str, Any] = properties.headers or {}
    return Wire(
        body=body,
        exchange=exchange,
        routing_key=routing_key,
        message_id=properties.message_id,
        reply_to=properties.reply_to,
        user_id=properties.user_id,
        headers=headers,
        persistent=properties.delivery_mode != _TRANSIENT,
        expires_s=float(properties.expiration) / 1_000 if properties.expiration else None,
    )
