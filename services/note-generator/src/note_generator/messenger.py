"""What this service publishes: events, answers, and messages for the retry ladder and the parking queue."""

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from opentelemetry.trace import SpanKind
from shared.contracts import events, topology
from shared.contracts.answers import Answers
from shared.contracts.events import CloudEvent, StateChanges
from shared.publisher import NotPublished, Publisher

from note_generator.metrics import SET_ASIDE
from note_generator.outage import BrokerAway
from shared import telemetry

_OWN: Final = topology.NOTE_GENERATOR_STATE_CHANGES

Headers = Mapping[str, str | int]


class NotAReplyAddress(Exception):
    """`reply_to` is not of the form `<key>|rf.replies`."""


class Messenger:
    """What publishes raises `BrokerAway`, and returns when the broker has confirmed; `answer` when it is sent."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def wait_ready(self, timeout_s: float) -> bool:
        """Whether there was a broker to publish to within the time."""
        return await self._publisher.wait_ready(timeout_s)

    async def announce(self, event: CloudEvent, *, routing_key: str) -> None:
        """Publish an event. Nobody has to listen."""
        with telemetry.inner("publish note.regenerated", SpanKind.PRODUCER) as trace:
            await self._publish(
                event.model_dump_json(by_alias=True, exclude_none=True).encode(),
                exchange=topology.EVENTS,
                routing_key=routing_key,
                message_id=event.id,
                mandatory=False,
                content_type=events.CONTENT_TYPE,
                headers=telemetry.headers(trace),
            )

    async def retry(self, changes: StateChanges, *, delay_s: int, headers: Headers) -> None:
        """Have the changes come back after a delay."""
        await self._publish(
            changes.model_dump_json().encode(),
            exchange=topology.RETRIES,
            routing_key=_OWN.wait(delay_s),
            message_id=uuid4().hex,
            mandatory=True,
            headers=headers,
        )
        SET_ASIDE.labels("ladder").inc()

    async def park(self, body: bytes, *, headers: Headers) -> None:
        """Lay a message aside for an operator."""
        await self._publish(
            body,
            exchange=topology.DEAD_LETTERS,
            routing_key=_OWN.key,
            message_id=uuid4().hex,
            mandatory=True,
            headers=headers,
        )
        SET_ASIDE.labels("parked").inc()

    async def answer(self, answers: Answers, *, reply_to: str) -> None:
        """Answer whoever asked, if they are still there. Raises `NotAReplyAddress` too."""
        key, _, exchange = reply_to.partition("|")
        if exchange != topology.REPLIES or not key:
            raise NotAReplyAddress
        try:
            await self._publisher.reply(answers.model_dump_json().encode(), reply_to=reply_to)
        except NotPublished as error:
            raise BrokerAway(str(error)) from error

    async def _publish(
        self,
        body: bytes,
        *,
        exchange: str,
        routing_key: str,
        message_id: str,
        mandatory: bool,
        content_type: str = "application/json",
        headers: Headers | None = None,
    ) -> None:
        try:
            await self._publisher.publish(
                body,
                exchange=exchange,
                routing_key=routing_key,
                message_id=message_id,
                mandatory=mandatory,
                content_type=content_type,
                headers=headers,
            )
        except NotPublished as error:
            raise BrokerAway(str(error)) from error
