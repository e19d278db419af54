"""The connection that consumes: FastStream's broker, patient at its start, without what costs a message much."""

import asyncio
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

import aio_pika
from faststream.message import StreamMessage
from faststream.rabbit import RabbitBroker, RabbitMessage

from shared.broker import BROKER_ERRORS, CONNECT_TIMEOUT_S, HEARTBEAT_S, cancelled_by_us_alone, close
from shared.logs import logger

log = logger(__name__)

_PAUSE_S: Final = 1.0
_TAKING_LEAVE_S: Final = 1.0
"""For cancelling consumers and closing, once nothing is handled any more."""

_LETTING_GO_S: Final = 0.1


class PatientBroker(RabbitBroker):
    """Waits at its start until RabbitMQ and the queues are there, in whatever order the rest comes up."""

    queues: Sequence[str] = ()
    stop_within_s: float = _TAKING_LEAVE_S

    @property
    def consuming(self) -> bool:
        """Whether there is a connection, and every subscriber has begun."""
        connected = self._connection is not None and self._connection.connected.is_set()
        return connected and all(subscriber.running for subscriber in self.subscribers)

    async def start(self) -> None:
        """Consume, once that is possible."""
        while True:
            try:
                await self._look_for_queues()
                await super().start()
            except BROKER_ERRORS as error:
                log.warning("the broker or its queues are not there yet", reason=type(error).__name__)
                await super().stop()
                await asyncio.sleep(_PAUSE_S)
            else:
                return

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        """Finish what is handled, and close; a broker that does not answer is left, and gives it to others."""
        try:
            async with asyncio.timeout(self.stop_within_s):
                await super().stop(exc_type, exc_val, exc_tb)
        except TimeoutError:
            log.warning("the broker is silent; not waited for")
            if self._connection is not None:
                # Else aio-pika would connect again and again, even when it is cancelled.
                await close(self._connection, within_s=_LETTING_GO_S)

    async def _look_for_queues(self) -> None:
        url = str(self._connection_kwargs["url"])
        connection = await aio_pika.connect(url, timeout=CONNECT_TIMEOUT_S)
        async with connection, asyncio.timeout(CONNECT_TIMEOUT_S):
            channel = await connection.channel()
            for name in self.queues:
                await channel.declare_queue(name, passive=True)


def create_broker(*, amqp_url: str, queues: Sequence[str], shutdown_s: float) -> PatientBroker:
    """A connection that consumes from these queues. It finishes what it handles within `shutdown_s`."""
    broker = PatientBroker(
        amqp_url,
        timeout=CONNECT_TIMEOUT_S,
        client_properties={"heartbeat": HEARTBEAT_S},
        graceful_timeout=shutdown_s,
        reconnect_interval=0.5,
        logger=logging.getLogger("faststream"),
        log_level=logging.DEBUG,
        # Injection by annotation costs several hops to a thread for each message.
        apply_types=False,
    )
    broker.queues = tuple(queues)
    broker.stop_within_s = shutdown_s + _TAKING_LEAVE_S
    return broker


async def undecoded(message: StreamMessage[Any]) -> StreamMessage[Any]:
    """The message as it came: its body is parsed once, into its model."""
    return message


async def settle(message: RabbitMessage) -> None:
    """Acknowledge. On a connection that was lost meanwhile this cannot be done: the message comes again."""
    try:
        with cancelled_by_us_alone():
            await message.ack()
    except BROKER_ERRORS as error:
        log.info("not acknowledged; the message comes again", reason=type(error).__name__)
