"""What is too long for one message travels in several: RabbitMQ closes the channel on what is longer, for good."""

import asyncio
import json
from typing import Any

from shared.contracts import topology
from shared.contracts.answers import Answer, Answers, written
from shared.contracts.vocabulary import Service
from shared.courier import Courier, Destination, Limits

Request = tuple[int, str]


class Wire:
    """Stands in for a connection and all that is on it; confirms at once, and keeps what was published."""

    def __init__(self) -> None:
        self.close_callbacks: set[object] = set()
        self.batches: list[list[Request]] = []

    def __getattr__(self, _name: str) -> Any:
        async def itself(*_: object, **__: object) -> "Wire":
            return self

        return itself

    async def publish(self, message: Any, **_: object) -> None:
        self.batches.append([tuple(request) for request in json.loads(message.body)])


def courier_of(*, longest: int) -> Courier[Request]:
    return Courier(
        url="amqp://nowhere",
        service=Service.GATEWAY,
        replica="1",
        destination=Destination(
            exchange=topology.COMMANDS,
            routing_key="somebody.commands",
            persistent=True,
            encode=lambda batch: json.dumps(batch).encode(),
        ),
        limits=Limits(bytes=longest),
    )


async def told(texts: list[str], *, longest: int) -> list[list[str]]:
    """The texts in each message, when all of them wait before there is a connection."""
    courier, wire = courier_of(longest=longest), Wire()
    asking = [
        asyncio.create_task(
            courier.ask(lambda ref, text=text: (ref, text), timeout_s=30, until_confirmed=True)
        )  # type: ignore[misc]
        for text in texts
    ]
    await asyncio.sleep(0)
    await courier._set_up(wire)  # type: ignore[arg-type]
    await asyncio.gather(*asking, return_exceptions=True)
    courier._on_lost()
    return [[text for _, text in batch] for batch in wire.batches]


async def test_a_batch_that_is_too_long_travels_in_several_messages_in_order() -> None:
    texts = [letter * 100 for letter in "abcdefgh"]
    batches = await told(texts, longest=350)
    assert len(batches) > 1
    assert all(len(json.dumps(list(enumerate(batch)))) <= 350 for batch in batches)
    assert [text for batch in batches for text in batch] == texts


async def test_one_request_is_sent_however_long_it_is() -> None:
    assert await told(["x" * 1_000], longest=10) == [["x" * 1_000]]


def answer(ref: int, text: str) -> Answer:
    return Answer(ref=ref, status=200, body={"text": text})


def test_answers_travel_in_one_message_where_they_fit() -> None:
    answers = [answer(ref, "short") for ref in range(5)]
    (body,) = written(answers)
    assert list(Answers.model_validate_json(body).answers) == answers


def test_answers_that_are_too_long_together_travel_in_several_messages() -> None:
    answers = [answer(ref, "x" * 100) for ref in range(5)]
    bodies = list(written(answers, longest=400))
    assert all(len(body) <= 400 for body in bodies)
    assert [each for body in bodies for each in Answers.model_validate_json(body).answers] == answers


def test_an_answer_that_is_too_long_by_itself_harms_no_other() -> None:
    answers = [answer(0, "short"), answer(1, "x" * 1_000), answer(2, "short")]
    came = [
        each for body in written(answers, longest=400) for each in Answers.model_validate_json(body).answers
    ]
    assert [each.status for each in came] == [200, 503, 200]
    assert came[1].body["code"] == "unavailable"
