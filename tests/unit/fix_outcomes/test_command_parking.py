"""The ladder of a command that fails: a longer wait each time, then an operator."""

from typing import Any

import pytest
from aio_pika import IncomingMessage
from aiormq.abc import DeliveredMessage
from fix_outcomes.parking import Parking, attempts_of
from fix_outcomes_doubles import ACCOUNT, add_message, command
from pamqp import commands as spec
from pamqp.header import ContentHeader
from shared.contracts import topology
from shared.contracts.commands import CommandBatch

COMMAND = command(add_message(ACCOUNT)).model_copy(update={"traceparent": "00-aa-bb-01"})


class Published:
    """Keeps what is published, in place of a broker."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    async def publish(self, body: bytes, **properties: Any) -> None:
        self.messages.append({"body": body} | properties)


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def parking(published: Published) -> Parking:
    return Parking(published)  # type: ignore[arg-type]


def message(**headers: Any) -> IncomingMessage:
    """A message as it came from the gateway, with these headers."""
    properties = spec.Basic.Properties(
        headers=headers, reply_to="gateway.1.ab.replies|rf.replies", user_id="gateway"
    )
    header = ContentHeader(properties=properties)
    delivery = spec.Basic.Deliver("tag", 1, False, "rf.commands", "fix-outcomes.commands")
    return IncomingMessage(DeliveredMessage(delivery=delivery, header=header, body=b"{}", channel=None))  # type: ignore[arg-type]


async def fail(parking: Parking, published: Published, **headers: Any) -> dict[str, Any]:
    await parking.put_off(message(**headers), COMMAND, reason="DataError")
    return published.messages[-1]


async def test_a_command_that_keeps_failing_climbs_the_ladder_and_is_then_parked(
    parking: Parking, published: Published
) -> None:
    seen = []
    headers: dict[str, Any] = {}
    for _ in range(len(topology.RETRY_DELAYS_S) + 1):
        sent = await fail(parking, published, **headers)
        headers = sent["headers"]
        seen.append((sent["exchange"], sent["routing_key"]))

    assert seen == [
        ("rf.retries", "fix-outcomes.commands.wait-1s.v1"),
        ("rf.retries", "fix-outcomes.commands.wait-5s.v1"),
        ("rf.retries", "fix-outcomes.commands.wait-30s.v1"),
        ("rf.dead-letters", "fix-outcomes.commands"),
    ]
    assert len({each["message_id"] for each in published.messages}) == 4


async def test_each_rung_is_a_queue_that_the_administrator_declares(
    parking: Parking, published: Published
) -> None:
    declared = {(queue.exchange, queue.routing_key) for queue in topology.queues()}
    for attempts in range(4):
        sent = await fail(parking, published, attempts=attempts)
        assert (sent["exchange"], sent["routing_key"]) in declared


async def test_only_the_command_that_failed_is_put_off_and_its_caller_is_still_answered(
    parking: Parking, published: Published
) -> None:
    sent = await fail(parking, published)
    assert CommandBatch.model_validate_json(sent["body"]).commands == (COMMAND,)
    assert sent["reply_to"] == "gateway.1.ab.replies|rf.replies"
    assert sent["mandatory"] is True


@pytest.mark.parametrize("attempts", [0, 3])
async def test_a_message_carries_its_attempts_its_reason_and_its_trace(
    parking: Parking, published: Published, attempts: int
) -> None:
    headers = (await fail(parking, published, attempts=attempts))["headers"]
    assert headers["attempts"] == attempts + 1
    assert headers["reason"] == "DataError"
    assert headers["traceparent"] == "00-aa-bb-01"


async def test_what_is_parked_names_who_had_published_it(parking: Parking, published: Published) -> None:
    await parking.park(message(traceparent="00-cc-dd-01"), b"nonsense", reason="not JSON")
    sent = published.messages[0]
    assert (sent["body"], sent["mandatory"]) == (b"nonsense", True)
    assert sent["headers"] == {
        "attempts": 1,
        "reason": "not JSON",
        "traceparent": "00-cc-dd-01",
        "published-by": "gateway",
    }


@pytest.mark.parametrize("attempts", ["many", None, 1.5])
def test_a_count_of_attempts_that_is_none_begins_anew(attempts: object) -> None:
    assert attempts_of(message(attempts=attempts)) == 0
