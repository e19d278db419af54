"""Why a command is refused, with the words a client shows."""

from collections.abc import Mapping
from typing import Any

from shared.contracts.problems import STATUS, ProblemCode


class Refused(Exception):
    """The rules say no. `body` is the problem's members but for those that HTTP adds."""

    def __init__(self, code: ProblemCode, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.status = STATUS[code]
        self.body: Mapping[str, Any] = {"code": code.value, "detail": detail, **members}


def key_reused() -> Refused:
    """The Idempotency-Key belongs to another request."""
    return Refused(ProblemCode.IDEMPOTENCY_KEY_REUSED, "Use a new Idempotency-Key for a new request.")


def done_long_ago() -> Refused:
    """It is in the journal, and its answer is forgotten."""
    return Refused(
        ProblemCode.IDEMPOTENCY_KEY_REUSED,
        "This was done under the same Idempotency-Key long ago; its answer is no longer kept. Use a new key.",
    )


def not_found() -> Refused:
    """The same for an id that does not exist and one of another account."""
    return Refused(ProblemCode.NOT_FOUND, "There is no such thing in your account.")
