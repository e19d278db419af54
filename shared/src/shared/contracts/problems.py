"""The refusals a client can meet: one code each, with its HTTP status and title (RFC 9457)."""

from collections.abc import Mapping
from enum import StrEnum


class ProblemCode(StrEnum):
    """Stable names of refusals; clients switch on these, never on the text."""

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    NOTES_REQUIRED = "notes_required"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    RATE_LIMITED = "rate_limited"
    VERSION_CONFLICT = "version_conflict"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    OUTCOME_FINAL = "outcome_final"
    FIX_SUPERSEDED = "fix_superseded"
    NOT_PROPOSED = "not_proposed"
    FIX_NEEDS_OUTCOME = "fix_needs_outcome"
    SESSION_CLOSED = "session_closed"
    UNAVAILABLE = "unavailable"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    INTERNAL = "internal"


STATUS: Mapping[ProblemCode, int] = {
    ProblemCode.UNAUTHENTICATED: 401,
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.NOT_FOUND: 404,
    ProblemCode.INVALID: 422,
    ProblemCode.NOTES_REQUIRED: 400,
    ProblemCode.PAYLOAD_TOO_LARGE: 413,
    ProblemCode.RATE_LIMITED: 429,
    ProblemCode.VERSION_CONFLICT: 412,
    ProblemCode.IDEMPOTENCY_KEY_REUSED: 422,
    ProblemCode.OUTCOME_FINAL: 409,
    ProblemCode.FIX_SUPERSEDED: 409,
    ProblemCode.NOT_PROPOSED: 409,
    ProblemCode.FIX_NEEDS_OUTCOME: 409,
    ProblemCode.SESSION_CLOSED: 409,
    ProblemCode.UNAVAILABLE: 503,
    ProblemCode.METHOD_NOT_ALLOWED: 405,
    ProblemCode.REQUEST_TIMEOUT: 408,
    ProblemCode.INTERNAL: 500,
}

TITLE: Mapping[ProblemCode, str] = {
    ProblemCode.UNAUTHENTICATED: "A valid token is required",
    ProblemCode.FORBIDDEN: "Your role may not do this",
    ProblemCode.NOT_FOUND: "There is nothing here",
    ProblemCode.INVALID: "The request is not valid",
    ProblemCode.NOTES_REQUIRED: "This outcome requires notes",
    ProblemCode.PAYLOAD_TOO_LARGE: "The request is too large",
    ProblemCode.RATE_LIMITED: "Too many requests",
    ProblemCode.VERSION_CONFLICT: "The session has changed since you read it",
    ProblemCode.IDEMPOTENCY_KEY_REUSED: "This Idempotency-Key belongs to another request",
    ProblemCode.OUTCOME_FINAL: "The outcome is final",
    ProblemCode.FIX_SUPERSEDED: "A newer fix has replaced this one",
    ProblemCode.NOT_PROPOSED: "The fix already has an outcome",
    ProblemCode.FIX_NEEDS_OUTCOME: "A fix still needs an outcome",
    ProblemCode.SESSION_CLOSED: "The session is closed",
    ProblemCode.UNAVAILABLE: "The service cannot take this right now",
    ProblemCode.METHOD_NOT_ALLOWED: "This method does not exist here",
    ProblemCode.REQUEST_TIMEOUT: "The request took too long to arrive",
    ProblemCode.INTERNAL: "Something went wrong",
}
