"""What an operator does with parked messages: list, show, replay, discard. As the service's own broker user.

Messages are looked at by taking them and giving them back. Replaying publishes to the work queue's first wait queue,
confirmed, and only then takes the message out of parking: repeated at worst, never lost.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aio_pika
import orjson
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from shared.broker import CONNECT_TIMEOUT_S
from shared.contracts.topology import DELIVERY_LIMIT, RETRIES, RETRY_DELAYS_S, WorkQueue

MOST: Final = 10_000
"""Messages that are looked at in one call."""

_GET_TIMEOUT_S: Final = 10.0
_PUBLISH_TIMEOUT_S: Final = 10.0
_PREVIEW_BYTES: Final = 2_000


def from_a_stranger(user: object) -> str:
    """The reason for parking what somebody published who may not."""
    return f"published by {user}, who may not"


@dataclass(frozen=True, slots=True)
class Parked:
    """A parked message: why, after how many attempts, since when, and whose trace it is part of.

    `strange`: nobody who may publish it did. Handled again, it would be as one that is trusted.
    """

    id: str
    reason: str
    attempts: int
    parked_at: datetime | None
    trace_id: str | None
    published_by: str | None
    body: bytes
    strange: bool

    @property
    def age_s(self) -> float | None:
        """Seconds since it was parked, where the message says when."""
        return None if self.parked_at is None else (datetime.now(UTC) - self.parked_at).total_seconds()

    def readable(self) -> str:
        """The body as JSON, or as much of it as can be shown."""
        try:
            return orjson.dumps(orjson.loads(self.body), option=orjson.OPT_INDENT_2).decode()
        except orjson.JSONDecodeError:
            return f"{self.body[:_PREVIEW_BYTES]!r} ({len(self.body)} bytes, not JSON)"


class ParkingLot:
    """The parking queue of one work queue. `user`: the service's own, which parks, and which replays."""

    def __init__(self, *, url: str, queue: WorkQueue, user: str) -> None:
        self._url, self._queue, self._user = url, queue, user

    async def look(self) -> list[Parked]:
        """All of them, oldest first; they stay where they are."""
        async with self._taken() as (_, messages):
            return [self._describe(message) for message in messages]

    def _describe(self, message: AbstractIncomingMessage) -> Parked:
        return describe(message, own=self._user, trusted=self._queue.trusted)

    async def replay(self, wanted: Callable[[Parked], bool]) -> list[Parked]:
        """Have the wanted ones handled again."""

        async def publish(channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
            exchange = await channel.get_exchange(RETRIES, ensure=False)
            again = Message(
                message.body,
                content_type="application/json",
                message_id=message.message_id,
                reply_to=message.reply_to,
                user_id=self._user,
                delivery_mode=DeliveryMode.PERSISTENT,
                headers=_trace_header(message),
            )
            async with asyncio.timeout(_PUBLISH_TIMEOUT_S):
                await exchange.publish(again, self._queue.wait(RETRY_DELAYS_S[0]), mandatory=True)

        return await self._settle(wanted, publish)

    async def discard(self, wanted: Callable[[Parked], bool]) -> list[Parked]:
        """Throw the wanted ones away, for good."""

        async def nothing(_channel: AbstractChannel, _message: AbstractIncomingMessage) -> None:
            return None

        return await self._settle(wanted, nothing)

    async def _settle(
        self,
        wanted: Callable[[Parked], bool],
        before: Callable[[AbstractChannel, AbstractIncomingMessage], Awaitable[None]],
    ) -> list[Parked]:
        settled = []
        async with self._taken() as (channel, messages):
            for message in messages:
                parked = self._describe(message)
                if wanted(parked):
                    await before(channel, message)
                    await message.ack()
                    settled.append(parked)
        return settled

    @asynccontextmanager
    async def _taken(self) -> AsyncIterator[tuple[AbstractChannel, list[AbstractIncomingMessage]]]:
        """Take what is there; what is not acknowledged goes back when the connection closes."""
        connection = await aio_pika.connect(self._url, timeout=CONNECT_TIMEOUT_S)
        async with connection:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            queue = await channel.declare_queue(self._queue.parked, passive=True)
            messages: list[AbstractIncomingMessage] = []
            while len(messages) < MOST:
                message = await queue.get(no_ack=False, fail=False, timeout=_GET_TIMEOUT_S)
                if message is None:
                    break
                messages.append(message)
            yield channel, messages


def describe(message: AbstractIncomingMessage, *, own: str, trusted: Collection[str]) -> Parked:
    """A message with what its headers say: ours, or the broker's own where it parked the message."""
    headers = _believed(message, own=own, trusted=trusted)
    death = _death(headers)
    # Our own reason is of an earlier failure, where a message that we had put off was parked by the broker.
    by_broker = killed(headers) or "reason" not in headers
    moment = death.get("time") if by_broker else message.timestamp
    attempts = DELIVERY_LIMIT + 1 if killed(headers) else headers.get("attempts", 0)
    return Parked(
        id=message.message_id or f"delivery-{message.delivery_tag}",
        reason=str((death if by_broker else headers).get("reason", "unknown")),
        attempts=attempts if isinstance(attempts, int) else 0,
        parked_at=_utc(moment),
        trace_id=_trace_id(headers.get("traceparent") or _first_trace(message.body)),
        published_by=str(headers.get("published-by") or message.user_id or "") or None,
        body=message.body,
        strange=headers.get("reason") == from_a_stranger(headers.get("published-by")),
    )


def _believed(message: AbstractIncomingMessage, *, own: str, trusted: Collection[str]) -> Mapping[str, Any]:
    """The headers, if we wrote them, or the broker as it parked what is trusted: anybody may write any header."""
    if message.user_id == own or (message.user_id in trusted and killed(message.headers)):
        return message.headers
    return {"reason": from_a_stranger(message.user_id), "published-by": message.user_id}


def killed(headers: Mapping[str, Any]) -> bool:
    """Whether the broker parked the message because workers died of it."""
    return _death(headers).get("reason") == "delivery_limit"


def _death(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Why the broker parked or expired the message last."""
    deaths = headers.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else {}
    return last if isinstance(last, Mapping) else {}


def _utc(moment: object) -> datetime | None:
    return moment.replace(tzinfo=moment.tzinfo or UTC) if isinstance(moment, datetime) else None


def _first_trace(body: bytes) -> object:
    """A message that the broker parked is a whole batch: its first command's trace stands for it."""
    try:
        message = orjson.loads(body)
        return message["commands"][0].get("traceparent")
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, AttributeError):
        return None


def _trace_id(traceparent: object) -> str | None:
    parts = str(traceparent).split("-") if traceparent else []
    return parts[1] if len(parts) == 4 else None  # noqa: PLR2004 - version, trace, span, flags


def _trace_header(message: AbstractIncomingMessage) -> dict[str, Any]:
    traceparent = message.headers.get("traceparent")
    return {"traceparent": traceparent} if traceparent else {}
