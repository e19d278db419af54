"""FastStream's place in the simulation: consumes for a service's subscribers, and again after each loss."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from faststream.rabbit import Channel, RabbitQueue
from shared.broker import BROKER_ERRORS

from faults.simulation.amqp import Broker, Connection
from faults.simulation.link import Deliver, Delivered
from faults.simulation.rabbitmq import RabbitMQ

_RECONNECT_S: Final = 0.5


class Consumers:
    """What `Subscribers.subscribe` is given."""

    def __init__(self, broker: Broker, rabbitmq: RabbitMQ, *, complain: Callable[[str], None]) -> None:
        self._broker, self._rabbitmq, self._complain = broker, rabbitmq, complain
        self._subscriptions: list[tuple[str, int, Deliver]] = []

    def subscriber(
        self, queue: RabbitQueue, *, channel: Channel, **_: Any
    ) -> Callable[[Callable[[Any], Any]], None]:
        """As FastStream's: a decorator."""

        def subscribe(handle: Callable[[Any], Any]) -> None:
            self._subscriptions.append((queue.name, channel.prefetch_count or 1, self._guarded(handle)))

        return subscribe

    async def run(self) -> None:
        """Consume for ever."""
        while True:
            try:
                connection = await self._broker.connect()
                ended = asyncio.Event()
                connection.close_callbacks.add(lambda *_, ended=ended: ended.set())
                await self._consume(connection)
                await ended.wait()
            except BROKER_ERRORS:
                pass
            await asyncio.sleep(_RECONNECT_S)

    async def _consume(self, connection: Connection) -> None:
        for name, prefetch, handle in self._subscriptions:
            await connection.hop()
            queue = self._rabbitmq.queues[name]
            connection.consume(queue, handle, prefetch=prefetch, acknowledged=False)

    def _guarded(self, handle: Callable[[Any], Any]) -> Deliver:
        """What a handler raises FastStream logs; the message stays unacknowledged until the connection ends."""

        async def guarded(message: Delivered) -> None:
            try:
                await handle(message)
            except BROKER_ERRORS:
                pass
            except Exception as error:
                self._complain(f"a handler raised {error!r}")

        return guarded
