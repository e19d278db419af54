"""Publishing that is sure: every message confirmed by the broker, or an error."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from aio_pika.abc import AbstractConnection
from aiormq import spec
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from shared.broker import BROKER_ERRORS, UNROUTABLE_OR_REFUSED, BrokerConnection, cancelled_by_us_alone
from shared.contracts.vocabulary import Service

PUBLISH_TIMEOUT_S: Final = 10.0
_PATIENCE_S: Final = 2.0

_PERSISTENT, _TRANSIENT = 2, 1


class NotPublished(Exception):
    """The broker did not confirm the message; it may have it all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A message for whoever listens; that nobody does is no failure."""

    body: bytes
    exchange: str
    routing_key: str
    message_id: str
    content_type: str
    headers: Mapping[str, Any] | None = None


class Publisher:
    """Publishes on a connection of its own, as `service`, which the broker checks.

    Below aio-pika's exchange objects, on the channel itself: a relay publishes thousands a second.
    """

    def __init__(self, *, url: str, service: Service, replica: str, purpose: str) -> None:
        self._service = service
        self._confirmed: Channel | None = None
        self._unconfirmed: Channel | None = None
        self._connection = BrokerConnection(
            url=url, name=f"{service} {replica} {purpose}", setup=self._set_up, lost=self._on_lost
        )

    @property
    def ready(self) -> bool:
        """Whether there is a connection right now."""
        return self._connection.ready

    async def start(self) -> None:
        """Connect; where it takes long that goes on in the background, so that a service can say what it lacks."""
        self._connection.start()
        await self._connection.wait_ready(_PATIENCE_S)

    async def wait_ready(self, timeout_s: float) -> bool:
        """Whether there was a connection within the time."""
        return await self._connection.wait_ready(timeout_s)

    async def stop(self) -> None:
        """Close."""
        await self._connection.stop()

    async def publish(
        self,
        body: bytes,
        *,
        exchange: str,
        routing_key: str,
        message_id: str,
        mandatory: bool,
        content_type: str = "application/json",
        reply_to: str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        """Publish a persistent message. `mandatory`: no queue for it is a failure. Raises `NotPublished`."""
        if self._confirmed is None:
            raise NotPublished("no connection")
        properties = spec.Basic.Properties(
            content_type=content_type,
            delivery_mode=_PERSISTENT,
            message_id=message_id,
            timestamp=datetime.now(UTC),
            user_id=str(self._service),
            reply_to=reply_to,
            headers=dict(headers) if headers else None,
        )
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                with cancelled_by_us_alone():
                    await self._confirmed.basic_publish(
                        body,
                        exchange=exchange,
                        routing_key=routing_key,
                        properties=properties,
                        mandatory=mandatory,
                        wait=False,
                    )
        except UNROUTABLE_OR_REFUSED as error:
            raise NotPublished("returned or refused") from error
        except TimeoutError as error:
            self._connection.drop()
            raise NotPublished("no confirm in time") from error
        except BROKER_ERRORS as error:
            raise NotPublished(type(error).__name__) from error

    async def announce(self, messages: Sequence[Announcement]) -> list[bool]:
        """Publish persistent messages in one write, to whoever listens. Which of them the broker confirmed.

        What aiormq's `basic_publish` does for one message, done for many: one turn of the channel's lock, one
        write, one wait. Without `mandatory`, so that none can be returned.
        """
        channel = self._confirmed
        if channel is None or channel.is_closed:
            return [False] * len(messages)
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                with cancelled_by_us_alone():
                    confirmations = await self._write(channel, messages)
                await asyncio.wait(confirmations)
        except BaseException as error:
            self._connection.drop()  # the channel's count of deliveries may no longer be the broker's
            if isinstance(error, BROKER_ERRORS):
                return [False] * len(messages)
            raise
        return [not (each.cancelled() or each.exception()) for each in confirmations]

    async def _write(self, channel: Channel, messages: Sequence[Announcement]) -> list[asyncio.Future[Any]]:
        confirmations: list[asyncio.Future[Any]] = []
        frames: list[Any] = []
        async with channel.lock:
            for message in messages:
                channel.delivery_tag += 1
                confirmation = channel.create_future()
                channel.confirmations[channel.delivery_tag] = confirmation
                confirmations.append(confirmation)
                properties = spec.Basic.Properties(
                    content_type=message.content_type,
                    delivery_mode=_PERSISTENT,
                    message_id=message.message_id,
                    user_id=str(self._service),
                    headers=dict(message.headers) if message.headers else None,
                )
                frames += (
                    spec.Basic.Publish(exchange=message.exchange, routing_key=message.routing_key),
                    ContentHeader(properties=properties, body_size=len(message.body)),
                    *_frames(message.body, longest=channel.max_content_size),
                )
            await channel.write_queue.put(ChannelFrame.marshall(channel.number, frames))
        return confirmations

    async def reply(self, body: bytes, *, reply_to: str) -> None:
        """Send an answer to `<key>|<exchange>`, at most once: who still waits will ask again."""
        if self._unconfirmed is None:
            raise NotPublished("no connection")
        key, _, exchange = reply_to.partition("|")
        properties = spec.Basic.Properties(
            content_type="application/json", delivery_mode=_TRANSIENT, user_id=str(self._service)
        )
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                with cancelled_by_us_alone():
                    await self._unconfirmed.basic_publish(
                        body, exchange=exchange, routing_key=key, properties=properties, wait=False
                    )
        except BROKER_ERRORS as error:
            raise NotPublished(type(error).__name__) from error

    async def _set_up(self, connection: AbstractConnection) -> None:
        confirmed = await connection.channel(publisher_confirms=True, on_return_raises=True)
        unconfirmed = await connection.channel(publisher_confirms=False)
        for channel in (confirmed, unconfirmed):
            channel.close_callbacks.add(lambda *_: self._connection.drop())
        self._confirmed = cast("Channel", await confirmed.get_underlay_channel())
        self._unconfirmed = cast("Channel", await unconfirmed.get_underlay_channel())

    def _on_lost(self) -> None:
        self._confirmed = self._unconfirmed = None


def _frames(body: bytes, *, longest: int) -> list[ContentBody]:
    return [ContentBody(body[start : start + longest]) for start in range(0, len(body), longest)]
