"""Where messages come in: read, handled, answered, and acknowledged last. What cannot succeed is parked, not lost."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeVar

from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage, RabbitQueue
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram
from pydantic import TypeAdapter, ValidationError
from shared.broker import cancelled_by_us_alone
from shared.consuming import undecoded
from shared.contracts import topology
from shared.contracts.answers import Answer, written
from shared.contracts.commands import Command
from shared.contracts.queries import Query, QueryBatch
from shared.logs import logger, trace_id_of
from shared.parked import from_a_stranger, killed
from shared.publisher import NotPublished, Publisher

from fix_outcomes import handlers
from fix_outcomes.figures import COMMAND_SECONDS, PARKED, QUESTION_SECONDS
from fix_outcomes.handlers import Failure
from fix_outcomes.parking import Parking, trace_of
from fix_outcomes.quarantine import SUSPICIOUS, Quarantine, deliveries_of
from fix_outcomes.reading import Malformed, read_commands, read_names
from fix_outcomes.storage.commands import Named
from fix_outcomes.storage.database import is_outage
from shared import telemetry

log = logger(__name__)

Result = TypeVar("Result")

_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.1, 2.0
_NACK_DELAY_S: Final = 1.0
_DIED: Final = "the worker died of it too often"

batch_size = Histogram(
    "rf_command_batch_size", "Commands in a message", buckets=(1, 2, 4, 8, 16, 32, 64, 128)
)
decided_total = Counter("rf_commands_decided_total", "Commands decided", ["kind", "status"])
repeated_total = Counter("rf_commands_repeated_total", "Commands answered from the log")
questions_total = Counter("rf_questions_total", "Questions answered", ["kind", "status"])

_QUERIES = TypeAdapter(QueryBatch)


class Subscribers:
    """The consumers of commands, of notices that commands were parked, and of questions."""

    QUEUES: Final = (
        topology.FIX_OUTCOMES_COMMANDS.name,
        topology.FIX_OUTCOMES_PARKED_NOTICES.name,
        topology.FIX_OUTCOMES_QUERIES.name,
    )

    def __init__(
        self,
        *,
        record: Callable[[Sequence[Command]], Awaitable[tuple[list[Answer], list[Failure]]]],
        remember_parked: Callable[[Sequence[Named], str], Awaitable[None]],
        answer: Callable[[Sequence[Query]], Awaitable[list[Answer]]],
        publisher: Publisher,
        committed: Callable[[], None],
        checkpoint: handlers.Checkpoint,
    ) -> None:
        self._record, self._answer, self._remember_parked = record, answer, remember_parked
        self._publisher = publisher
        self._parking = Parking(publisher)
        self._quarantine = Quarantine()
        self._committed = committed
        self._checkpoint = checkpoint

    def subscribe(self, broker: RabbitBroker, *, batches_at_once: int, questions_at_once: int) -> None:
        """Consume from queues that an administrator has declared; the limits are the prefetch counts."""
        wanted: tuple[tuple[str, Callable[[RabbitMessage], Awaitable[None]], int], ...] = (
            (
                topology.FIX_OUTCOMES_COMMANDS.name,
                self._quarantine.guard(_acknowledged_last(self.on_commands)),
                batches_at_once,
            ),
            (topology.FIX_OUTCOMES_PARKED_NOTICES.name, _acknowledged_last(self.on_parked_commands), 1),
            (topology.FIX_OUTCOMES_QUERIES.name, _acknowledged_last(self.on_queries), questions_at_once),
        )
        for name, handler, at_once in wanted:
            broker.subscriber(
                RabbitQueue(name, declare=False),
                channel=Channel(prefetch_count=at_once),
                ack_policy=AckPolicy.MANUAL,
                decoder=undecoded,
                no_reply=True,
            )(handler)

    async def on_commands(self, message: RabbitMessage) -> None:
        """Record a batch, answer it, park or put off what failed alone."""
        raw = message.raw_message
        if raw.user_id not in topology.FIX_OUTCOMES_COMMANDS.trusted:
            log.error("commands from a stranger", user=raw.user_id, size=len(raw.body))
            await self._parking.park(raw, raw.body, reason=from_a_stranger(raw.user_id))
            return
        batch, malformed = read_commands(raw.body)
        for each in malformed:
            await self._park_malformed(message, each)
        if not batch:
            return
        if len(batch) > 1 and deliveries_of(message) >= SUSPICIOUS:
            for command in batch:
                await self._parking.put_off(raw, command, reason="came with a batch that was never finished")
            return
        batch_size.observe(len(batch))
        with (
            COMMAND_SECONDS.time(),
            telemetry.batch("decide commands", _traces(batch), SpanKind.CONSUMER, trace_of(raw)),
        ):
            answers, failures = await _waiting_out_outages(lambda: self._record(batch))
            telemetry.told("decided", _decided(batch))
        self._committed()
        await self._checkpoint("commands: after commit, before reply")
        _count(batch, answers)
        await self._reply(message, answers)
        for failure in failures:
            log.error("a command failed alone", **_names(failure.command), exc_info=failure.error)
            await self._parking.put_off(raw, failure.command, reason=type(failure.error).__name__)
        await self._checkpoint("commands: after reply, before ack")

    async def on_parked_commands(self, message: RabbitMessage) -> None:
        """Remember which commands are parked, so that their operations say that an operator must look."""
        named = read_names(message.raw_message.body)
        if named:
            PARKED.inc(len(named))
            died = killed(message.raw_message.headers)
            reason = _DIED if died else str(message.raw_message.headers.get("reason", _DIED))
            await _waiting_out_outages(lambda: self._remember_parked(named, reason))

    async def on_queries(self, message: RabbitMessage) -> None:
        """Answer questions at once, or say at once that it cannot be done now."""
        try:
            batch = _QUERIES.validate_json(message.raw_message.body).queries
        except ValidationError:
            log.warning("unreadable questions", size=len(message.raw_message.body))
            return
        try:
            with (
                QUESTION_SECONDS.time(),
                telemetry.batch(
                    "answer questions", _traces(batch), SpanKind.CONSUMER, trace_of(message.raw_message)
                ),
            ):
                answers = await self._answer(batch)
        except Exception as error:
            if is_outage(error):
                log.warning("questions cannot be answered", reason=type(error).__name__)
            else:
                log.exception("questions failed", size=len(batch))
            answers = handlers.unavailable(batch)
        kinds = {query.ref: query.question.kind for query in batch}
        for each in answers:
            questions_total.labels(kinds[each.ref], each.status).inc()
        await self._reply(message, answers)

    async def _park_malformed(self, message: RabbitMessage, malformed: Malformed) -> None:
        log.error("a malformed command is parked", reason=malformed.reason, size=len(malformed.body))
        await self._parking.park(message.raw_message, malformed.body, reason=malformed.reason)

    async def _reply(self, message: RabbitMessage, answers: Sequence[Answer]) -> None:
        """Who does not hear it asks again or looks the operation up: a lost reply loses nothing."""
        reply_to = message.raw_message.reply_to
        if not answers or not reply_to:
            return
        try:
            for body in written(answers):
                await self._publisher.reply(body, reply_to=reply_to)
        except NotPublished as error:
            log.warning(
                "a reply was not sent", reason=str(error), trace_id=trace_id_of(trace_of(message.raw_message))
            )


def _traces(batch: Sequence[Command] | Sequence[Query]) -> Iterator[str | None]:
    return (each.traceparent for each in batch)


def _decided(batch: Sequence[Command]) -> Iterator[tuple[str | None, dict[str, str]]]:
    """What the trace of each command's own request is told of the batch that it travelled in."""
    for command in batch:
        yield command.traceparent, {"rf.kind": command.action.kind, "rf.command_id": str(command.command_id)}


def _names(command: Command) -> dict[str, str | None]:
    """How logs name a command."""
    return {
        "command_id": str(command.command_id),
        "account_id": str(command.account_id),
        "trace_id": trace_id_of(command.traceparent),
    }


def _count(batch: Sequence[Command], answers: Sequence[Answer]) -> None:
    kinds = {command.ref: command.action.kind for command in batch}
    for each in answers:
        if each.replayed:
            repeated_total.inc()
        else:
            decided_total.labels(kinds[each.ref], each.status).inc()


def _acknowledged_last(
    handle: Callable[[RabbitMessage], Awaitable[None]],
) -> Callable[[RabbitMessage], Awaitable[None]]:
    """Ack when all is done; what raised goes back to the queue, and at the delivery limit to parking."""

    async def handled(message: RabbitMessage) -> None:
        try:
            await handle(message)
        except Exception:
            log.exception("a message was not handled; it goes back to its queue")
            await asyncio.sleep(_NACK_DELAY_S)
            with cancelled_by_us_alone():
                await message.nack(requeue=True)
        else:
            with cancelled_by_us_alone():
                await message.ack()

    return handled


async def _waiting_out_outages(work: Callable[[], Awaitable[Result]]) -> Result:
    """An outage is not a failed message: no attempt is counted, however long the database is away."""
    delay_s = _FIRST_DELAY_S
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("waiting for the database", reason=type(error).__name__)
        await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        delay_s = min(delay_s * 2, _LONGEST_DELAY_S)
