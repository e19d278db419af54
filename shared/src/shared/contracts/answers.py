"""What comes back to the replica that asked: the verdict on a command, or the answer to a query."""

from typing import Any, Literal

from pydantic import Field

from shared.contracts.text import Message


class Answer(Message):
    """One answer. `status` and `body` are what HTTP shows; of a refusal, `body` has `code` and `detail`.

    `replayed`: the first answer to this command, given again.
    """

    ref: int
    status: int = Field(ge=200, le=599)
    body: dict[str, Any]
    replayed: bool = False


class Answers(Message):
    """The answers to a batch, or to the part of it that is ready."""

    version: Literal[1] = 1
    answers: tuple[Answer, ...] = Field(min_length=1)
