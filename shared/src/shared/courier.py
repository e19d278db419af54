"""The batching sender: many callers ask, few messages travel, and each caller gets its own answer.

Smart batching without a timer: a message carries what is waiting; what arrives while earlier messages await the
broker's confirm travels together in the next. Idle, one request goes at once; busy, its costs are shared.
"""

import asyncio
import itertools
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import uuid4

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from opentelemetry.trace import SpanKind
from pydantic import TypeAdapter, ValidationError

from shared import telemetry
from shared.broker import BROKER_ERRORS, UNROUTABLE_OR_REFUSED, BrokerConnection
from shared.contracts import topology
from shared.contracts.answers import Answer, Answers
from shared.contracts.commands import MAX_BATCH
from shared.contracts.vocabulary import Service
from shared.logs import logger

log = logger(__name__)

Request = TypeVar("Request")

_Publish = Callable[..., Awaitable[object]]

_ANSWERS = TypeAdapter(Answers)


class CourierError(Exception):
    """A request without an answer."""


class NotSent(CourierError):
    """The broker never confirmed the request: nothing was promised. (It may have arrived all the same.)"""


class Unanswered(CourierError):
    """The broker has the request, but no answer came in time: it will be handled, once."""


@dataclass(frozen=True, slots=True)
class Destination(Generic[Request]):
    """Where requests of one kind go, and how a batch of them is written.

    `persistent` requests survive a broker's restart; others are dropped once nobody waits for them.
    """

    exchange: str
    routing_key: str
    persistent: bool
    encode: Callable[[Sequence[Request]], bytes]


@dataclass(slots=True, eq=False)
class _Parcel(Generic[Request]):
    ref: int
    request: Request
    expires: float
    answer: asyncio.Future[Answer]
    until_confirmed: bool
    confirmed: bool = False


@dataclass(slots=True)
class Limits:
    """Bounds of a courier: callers waiting, messages awaiting a confirm, requests and bytes in a message."""

    waiting: int = 5_000
    in_flight: int = 2
    batch: int = MAX_BATCH
    bytes: int = topology.LONGEST_MESSAGE
    publish_s: float = 10.0


@dataclass(slots=True)
class Figures:
    """Counts since the start."""

    requests: int = 0
    messages: int = 0
    resent: int = 0


class Courier(Generic[Request]):
    """Sends requests to one destination on a connection of its own, and receives the answers there."""

    def __init__(
        self,
        *,
        url: str,
        service: Service,
        replica: str,
        destination: Destination[Request],
        limits: Limits | None = None,
    ) -> None:
        self._destination = destination
        self._limits = limits or Limits()
        self._service, self._replica = service, replica
        self._span = f"{destination.routing_key} publish"
        self._refs = itertools.count(1)
        self._waiting: OrderedDict[int, _Parcel[Request]] = OrderedDict()
        self._unanswered: dict[int, _Parcel[Request]] = {}
        self._wake = asyncio.Event()
        self._connection = BrokerConnection(
            url=url,
            name=f"{service} {replica} asks {destination.routing_key}",
            setup=self._set_up,
            lost=self._on_lost,
        )
        self._senders: list[asyncio.Task[None]] = []
        self.figures = Figures()

    @property
    def ready(self) -> bool:
        """Whether requests can be sent right now."""
        return self._connection.ready

    @property
    def waiting(self) -> int:
        """Requests that are not sent yet."""
        return len(self._waiting)

    @property
    def unanswered(self) -> int:
        """Callers that wait."""
        return len(self._unanswered)

    async def start(self, *, patience_s: float = 2.0) -> None:
        """Connect, waiting for at most `patience_s`; connecting goes on in the background after that."""
        self._connection.start()
        await self._connection.wait_ready(patience_s)

    async def stop(self) -> None:
        """Fail the callers that still wait, and close."""
        await self._connection.stop()
        for parcel in self._unanswered.values():
            _give_up(parcel, "stopping")

    async def ask(
        self, make: Callable[[int], Request], *, timeout_s: float, until_confirmed: bool = False
    ) -> Answer:
        """The answer to one request. `make` gets the number by which the answer will name it.

        Raises `NotSent` where nothing was promised, `Unanswered` where the request is queued but undecided;
        with `until_confirmed` that is as soon as the broker has it: no answer is waited for.
        """
        if len(self._unanswered) >= self._limits.waiting:
            raise NotSent("too many requests are waiting")
        loop = asyncio.get_running_loop()
        ref = next(self._refs)
        parcel = _Parcel(ref, make(ref), loop.time() + timeout_s, loop.create_future(), until_confirmed)
        self._unanswered[ref] = self._waiting[ref] = parcel
        self._wake.set()
        expiry = loop.call_at(parcel.expires, _give_up, parcel, "not in time")
        try:
            return await parcel.answer
        finally:
            expiry.cancel()
            self._unanswered.pop(ref, None)
            self._waiting.pop(ref, None)

    async def _set_up(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        name = topology.private_queue(self._service, self._replica, uuid4().hex[:12], "replies")
        replies = await channel.declare_queue(name, exclusive=True, auto_delete=True, durable=False)
        await replies.bind(topology.REPLIES, routing_key=name)
        await replies.consume(self._on_answers, no_ack=True)
        channel.close_callbacks.add(lambda *_: self._connection.drop())
        exchange = await channel.get_exchange(self._destination.exchange, ensure=False)
        self._resend_unanswered()
        self._senders = [
            asyncio.create_task(self._send_what_waits(exchange.publish, name))
            for _ in range(self._limits.in_flight)
        ]

    def _on_lost(self) -> None:
        for sender in self._senders:
            sender.cancel()
        self._senders = []

    def _resend_unanswered(self) -> None:
        """After a loss nobody knows what arrived: ask again. A repeated command gets its first answer."""
        self.figures.resent += len(self._unanswered) - len(self._waiting)
        self._waiting = OrderedDict(self._unanswered)
        self._wake.set()

    async def _send_what_waits(self, publish: _Publish, reply_to: str) -> None:
        while True:
            batch = self._take()
            if not batch:
                self._wake.clear()
                await self._wake.wait()
                continue
            batch, body = self._pack(batch)
            try:
                async with asyncio.timeout(self._limits.publish_s):
                    with telemetry.batch(self._span, _traces(batch), SpanKind.PRODUCER) as trace:
                        await publish(
                            self._message(batch, body, reply_to, trace),
                            routing_key=self._destination.routing_key,
                            mandatory=True,
                        )
            except UNROUTABLE_OR_REFUSED:
                for parcel in batch:
                    _give_up(parcel, "the broker refused it")
            except BROKER_ERRORS as error:
                log.warning("publish failed", to=self._destination.routing_key, reason=type(error).__name__)
                self._connection.drop()
                return
            else:
                _confirm(batch)

    def _take(self) -> list[_Parcel[Request]]:
        batch: list[_Parcel[Request]] = []
        while self._waiting and len(batch) < self._limits.batch:
            _, parcel = self._waiting.popitem(last=False)
            if not parcel.answer.done():
                batch.append(parcel)
        return batch

    def _pack(self, batch: list[_Parcel[Request]]) -> tuple[list[_Parcel[Request]], bytes]:
        """As much of the batch as a message may hold, and how it is written; the rest waits on, first in line."""
        body = self._destination.encode([parcel.request for parcel in batch])
        if len(body) <= self._limits.bytes or len(batch) == 1:
            return batch, body
        half = len(batch) // 2
        for parcel in reversed(batch[half:]):
            self._waiting[parcel.ref] = parcel
            self._waiting.move_to_end(parcel.ref, last=False)
        self._wake.set()
        return self._pack(batch[:half])

    def _message(
        self, batch: Sequence[_Parcel[Request]], body: bytes, reply_to: str, trace: str | None
    ) -> Message:
        self.figures.requests += len(batch)
        self.figures.messages += 1
        persistent = self._destination.persistent
        loop_time = asyncio.get_running_loop().time()
        patience_s = max(parcel.expires for parcel in batch) - loop_time
        return Message(
            body,
            content_type="application/json",
            headers=telemetry.headers(trace),
            message_id=uuid4().hex,
            reply_to=f"{reply_to}|{topology.REPLIES}",
            user_id=str(self._service),
            timestamp=int(time.time()),
            delivery_mode=DeliveryMode.PERSISTENT if persistent else DeliveryMode.NOT_PERSISTENT,
            expiration=None if persistent else max(patience_s, 0.001),
        )

    async def _on_answers(self, message: AbstractIncomingMessage) -> None:
        try:
            answers = _ANSWERS.validate_json(message.body)
        except ValidationError:
            log.warning("unreadable answers", size=len(message.body))
            return
        for answer in answers.answers:
            parcel = self._unanswered.get(answer.ref)
            if parcel is not None and not parcel.until_confirmed and not parcel.answer.done():
                parcel.answer.set_result(answer)


def _traces(batch: Sequence[_Parcel[Any]]) -> Iterator[str | None]:
    """The trace contexts of a batch's requests; looked at only where requests are traced."""
    return (getattr(parcel.request, "traceparent", None) for parcel in batch)


def _give_up(parcel: _Parcel[Request], why: str) -> None:
    """What was confirmed once stays promised, whatever became of a second try."""
    if not parcel.answer.done():
        parcel.answer.set_exception(Unanswered(why) if parcel.confirmed else NotSent(why))


def _confirm(batch: Sequence[_Parcel[Request]]) -> None:
    for parcel in batch:
        parcel.confirmed = True
        if parcel.until_confirmed:
            _give_up(parcel, "queued")
