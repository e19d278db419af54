"""A caller that wants no answer is let go as soon as the broker has its request."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from shared.contracts.answers import Answer, Answers
from shared.contracts.vocabulary import Service
from shared.courier import Courier, Destination, NotSent, Unanswered


class Broker:
    """Confirms when the test says so."""

    def __init__(self) -> None:
        self.confirms = asyncio.Event()
        self.received = asyncio.Event()
        self.published: list[bytes] = []

    async def publish(self, message: Any, **_: Any) -> None:
        self.published.append(message.body)
        self.received.set()
        await self.confirms.wait()


def encode(requests: Sequence[int]) -> bytes:
    return ",".join(map(str, requests)).encode()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
async def courier(broker: Broker) -> AsyncIterator[Courier[int]]:
    destination = Destination(exchange="x", routing_key="y", persistent=True, encode=encode)
    courier: Courier[int] = Courier(
        url="amqp://nowhere", service=Service.GATEWAY, replica="test", destination=destination
    )
    sender = asyncio.create_task(courier._send_what_waits(broker.publish, "reply"))
    yield courier
    sender.cancel()
    await asyncio.gather(sender, return_exceptions=True)


async def answer(courier: Courier[int], ref: int) -> None:
    answers = Answers(answers=(Answer(ref=ref, status=200, body={}),))

    class Delivery:
        body = answers.model_dump_json().encode()

    await courier._on_answers(Delivery())  # type: ignore[arg-type]


async def test_a_confirmed_request_ends_as_unanswered_at_once(courier: Courier[int], broker: Broker) -> None:
    broker.confirms.set()
    async with asyncio.timeout(1):
        with pytest.raises(Unanswered):
            await courier.ask(lambda ref: ref, timeout_s=60, until_confirmed=True)
    assert broker.published == [b"1"]
    assert courier.unanswered == 0


async def test_without_a_confirm_nothing_is_promised(courier: Courier[int], broker: Broker) -> None:
    with pytest.raises(NotSent):
        await courier.ask(lambda ref: ref, timeout_s=0.01, until_confirmed=True)


async def test_an_answer_that_overtakes_the_confirm_changes_nothing(
    courier: Courier[int], broker: Broker
) -> None:
    asking = asyncio.create_task(courier.ask(lambda ref: ref, timeout_s=5, until_confirmed=True))
    await broker.received.wait()
    await answer(courier, 1)
    broker.confirms.set()
    with pytest.raises(Unanswered):
        await asking


async def test_a_caller_that_wants_the_answer_waits_for_it(courier: Courier[int], broker: Broker) -> None:
    broker.confirms.set()
    asking = asyncio.create_task(courier.ask(lambda ref: ref, timeout_s=5))
    await broker.received.wait()
    await answer(courier, 1)
    assert (await asking).status == 200
