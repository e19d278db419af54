"""What is too long for one message travels in several: RabbitMQ closes the channel on what is longer, for good."""

import json

from courier_wire import asking, connected, courier_to, given_up, leave
from shared.contracts.answers import Answer, Answers, written


async def told(texts: list[str], *, longest: int) -> list[list[str]]:
    """The texts in each message, when all of them wait before there is a connection."""
    courier = courier_to(bytes=longest, batch=len(texts))
    asked = await asking(courier, *texts, until_confirmed=True)
    wire = await connected(courier)
    for number, _ in enumerate(wire.open):  # the next is sent when one is confirmed
        await wire.confirm(number)
    await given_up(*asked)
    await leave(courier)
    return wire.batches


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
