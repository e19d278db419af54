"""What comes back to the replica that asked: the verdict on a command, or the answer to a query."""

from typing import Any

from pydantic import Field

from shared.contracts.text import Message, Ref, Version


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
