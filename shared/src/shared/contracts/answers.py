"""What comes back to the replica that asked: the verdict on a command, or the answer to a query."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import Field

from shared.contracts.problems import ProblemCode
from shared.contracts.text import Message, Ref, Version
from shared.contracts.topology import LONGEST_MESSAGE


class Answer(Message):
    """One answer: what HTTP shows."""

    ref: Ref
    status: int = Field(ge=200, le=599, description="HTTP status")
    body: dict[str, Any] = Field(description="HTTP body; of a refusal, its `code` and `detail`")
    replayed: bool = Field(default=False, description="Whether it is the first answer, given again")


class Answers(Message):
    """The answers to a batch, or to the part of it that is ready."""

    version: Version = 1
    answers: tuple[Answer, ...] = Field(min_length=1, description="In no particular order")


def written(answers: Sequence[Answer], *, longest: int = LONGEST_MESSAGE) -> Iterator[bytes]:
    """The messages that these answers travel in: one, unless it were too long."""
    body = Answers.model_construct(answers=tuple(answers)).model_dump_json().encode()
    half = len(answers) // 2
    if len(body) <= longest:
        yield body
    elif half:
        yield from written(answers[:half], longest=longest)
        yield from written(answers[half:], longest=longest)
    else:
        yield from written([_too_long(answers[0])], longest=len(body))


def _too_long(answer: Answer) -> Answer:
    body = {"code": ProblemCode.UNAVAILABLE.value, "detail": "The answer is too long to be sent."}
    return Answer(ref=answer.ref, status=HTTPStatus.SERVICE_UNAVAILABLE, body=body)
