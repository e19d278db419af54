"""What comes in from RabbitMQ: state changes, which are kept until they are done, and previews."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import aio_pika
from faststream import AckPolicy
from faststream.message import StreamMessage
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage, RabbitQueue
from pydantic import TypeAdapter, ValidationError
from shared.broker import BROKER_ERRORS, CONNECT_TIMEOUT_S, HEARTBEAT_S
from shared.contracts import topology
from shared.contracts.answers import Answer, Answers
from shared.contracts.events import StateChange, StateChanges
from shared.contracts.problems import ProblemCode
from shared.contracts.queries import Query, QueryBatch, WriteNote
from shared.logs import logger

from note_generator.handlers import Checkpoint, Handlers, refusal
from note_generator.messenger import Headers, Messenger, NotAReplyAddress
from note_generator.metrics import CHANGES, PREVIEWS
from note_generator.outage import Away
from note_generator.waiting_room import Delivery, Waiting, WaitingRoom

log = logger(__name__)

_CHANGES: Final = topology.NOTE_GENERATOR_STATE_CHANGES
_PREVIEWS: Final = topology.NOTE_GENERATOR_PREVIEWS
_STATE_CHANGES: Final = TypeAdapter(StateChanges)
_QUERIES: Final = TypeAdapter(QueryBatch)
_PAUSE_S: Final = 1.0


class PatientBroker(RabbitBroker):
    """Waits at its start until RabbitMQ and the queues are there, in whatever order the rest comes up."""

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

    async def _look_for_queues(self) -> None:
        url = str(self._connection_kwargs["url"])
        connection = await aio_pika.connect(url, timeout=CONNECT_TIMEOUT_S)
        async with connection, asyncio.timeout(CONNECT_TIMEOUT_S):
            channel = await connection.channel()
            for name in (_CHANGES.name, _PREVIEWS.name):
                await channel.declare_queue(name, passive=True)


def create_broker(*, amqp_url: str, shutdown_s: float) -> PatientBroker:
    """A connection that consumes."""
    return PatientBroker(
        amqp_url,
        client_properties={"heartbeat": HEARTBEAT_S},
        graceful_timeout=shutdown_s,
        reconnect_interval=0.5,
        logger=logging.getLogger("faststream"),
        log_level=logging.DEBUG,
        # Injection by annotation costs several hops to a thread for each message.
        apply_types=False,
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """Deliveries of changes held, previews answered at once, and seconds for one of them."""

    prefetch: int
    previews_at_once: int
    preview_s: float


def subscribe(
    broker: RabbitBroker,
    *,
    room: WaitingRoom,
    handlers: Handlers,
    messenger: Messenger,
    limits: Limits,
    checkpoint: Checkpoint,
) -> None:
    """Register what this service consumes. The queues are declared by the administrator alone."""
    slots = asyncio.Semaphore(limits.previews_at_once)

    @broker.subscriber(
        RabbitQueue(_CHANGES.name, declare=False),
        channel=Channel(prefetch_count=limits.prefetch),
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
        decoder=undecoded,
    )
    async def on_state_changes(message: RabbitMessage) -> None:
        try:
            changes = _STATE_CHANGES.validate_json(message.body).changes
        except ValidationError:
            await _until_done(lambda: messenger.park(message.body, headers=_reasons(message, "malformed")))
            await settle(message)
            return
        CHANGES.inc(len(changes))

        async def done() -> None:
            await checkpoint("before ack")
            await settle(message)

        await room.take(
            Delivery(done, attempts=_attempts(message), traceparent=_traceparent(message)), changes
        )

    # Acknowledged when answered: so the prefetch bounds the work, what waits too long is dropped by the queue's
    # time to live, and what a killed replica was writing is answered by another.
    @broker.subscriber(
        RabbitQueue(_PREVIEWS.name, declare=False),
        channel=Channel(prefetch_count=limits.previews_at_once),
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
        decoder=undecoded,
    )
    async def on_previews(message: RabbitMessage) -> None:
        try:
            queries = _QUERIES.validate_json(message.body).queries
        except ValidationError:
            log.warning("unreadable previews dropped", size=len(message.body))
            await settle(message)
            return
        patience_s = min(_expiration_s(message) or limits.preview_s, limits.preview_s)
        asked = (
            _answer(
                query,
                message.reply_to,
                handlers=handlers,
                messenger=messenger,
                slots=slots,
                within_s=patience_s,
            )
            for query in queries
        )
        await asyncio.gather(*asked)
        await settle(message)


async def _answer(
    query: Query,
    reply_to: str,
    *,
    handlers: Handlers,
    messenger: Messenger,
    slots: asyncio.Semaphore,
    within_s: float,
) -> None:
    """Answer one preview as soon as it is ready; a neighbour that fails or is slow does not matter to it."""
    answer, written = (
        refusal(query.ref, ProblemCode.UNAVAILABLE, "The note could not be written in time"),
        None,
    )
    try:
        async with asyncio.timeout(within_s), slots:
            if isinstance(query.question, WriteNote):
                answer, written = await handlers.preview(
                    account_id=query.account_id, question=query.question, ref=query.ref
                )
            else:
                answer = refusal(query.ref, ProblemCode.INVALID, "This service only writes notes")
    except TimeoutError:
        log.warning("preview not answered in time")
    except Exception as error:
        log.error("preview failed", reason=type(error).__name__)
    PREVIEWS.labels(str(answer.status)).inc()
    await _reply(answer, reply_to, messenger=messenger)
    if written is not None:
        try:
            await handlers.announce_once(query.account_id, written)
        except Away as outage:
            # The session's own change is still to be handled, and announces what this could not.
            log.warning("not announced", reason=type(outage).__name__)


async def _reply(answer: Answer, reply_to: str, *, messenger: Messenger) -> None:
    try:
        await messenger.answer(Answers(answers=(answer,)), reply_to=reply_to)
    except (NotAReplyAddress, Away) as error:
        log.warning("answer not delivered", reason=type(error).__name__)


def set_aside(messenger: Messenger) -> Callable[[Waiting, Exception], Awaitable[None]]:
    """Give a session whose generation failed to the retry ladder, and after its last step to the parking queue."""

    async def step(waiting: Waiting, error: Exception) -> None:
        key, attempts = waiting.key, waiting.attempts + 1
        changes = StateChanges(
            changes=(
                StateChange(
                    account_id=key.account_id, session_id=key.session_id, state_version=waiting.state_version
                ),
            )
        )
        headers: dict[str, str | int] = {"reason": type(error).__name__, "attempts": attempts}
        if waiting.traceparent:
            headers["traceparent"] = waiting.traceparent
        if attempts <= len(topology.RETRY_DELAYS_S):
            delay_s = topology.RETRY_DELAYS_S[attempts - 1]
            await messenger.retry(changes, delay_s=delay_s, headers=headers)
        else:
            await messenger.park(changes.model_dump_json().encode(), headers=headers)

    return step


async def undecoded(message: StreamMessage[Any]) -> StreamMessage[Any]:
    """The message as it came: its body is parsed once, into its model."""
    return message


async def settle(message: RabbitMessage) -> None:
    """Acknowledge. On a connection that was lost meanwhile this cannot be done: the message comes again."""
    try:
        await message.ack()
    except BROKER_ERRORS as error:
        log.info("not acknowledged; the message comes again", reason=type(error).__name__)


async def _until_done(publish: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await publish()
        except Away:
            await asyncio.sleep(_PAUSE_S)


def _expiration_s(message: RabbitMessage) -> float | None:
    expiration = message.raw_message.expiration
    return float(expiration) if isinstance(expiration, int | float) else None


def _attempts(message: RabbitMessage) -> int:
    attempts = message.headers.get("attempts", 0)
    return attempts if isinstance(attempts, int) and attempts >= 0 else 0


def _traceparent(message: RabbitMessage) -> str | None:
    value = message.headers.get("traceparent")
    return value if isinstance(value, str) else None


def _reasons(message: RabbitMessage, reason: str) -> Headers:
    headers: dict[str, str | int] = {"reason": reason, "attempts": _attempts(message) + 1}
    traceparent = _traceparent(message)
    return headers | ({"traceparent": traceparent} if traceparent else {})
