"""When a call that failed is repeated, and when not: the one place that knows (the SDK repeats nothing)."""

import random
import re
from typing import Final

import httpx2
from anthropic import AnthropicError, APIConnectionError, APIStatusError, APITimeoutError

REASONS: Final = {
    "timeout": "the model took too long",
    "connection": "the model could not be reached",
    "rate_limited": "the model's rate limit was reached",
    "spend_limit": "the spend limit of the model's account was reached",
    "overloaded": "the model is overloaded",
    "unauthorized": "the model refused the key",
    "server_error": "the model had an error",
    "bad_request": "the model refused the request",
    "refusal": "the model declined to write",
    "cut_off": "the model's text was cut off",
    "empty": "the model wrote nothing",
    "error": "the model could not be asked",
    "resting": "the model failed several times in a row and is not asked for a while",
    "budget": "the account's budget for the model is used up for today",
}
"""Why the template wrote, by the label that the metric has."""

FAILURES: Final = (TimeoutError, AnthropicError, httpx2.HTTPError)
"""What a call ends with where no answer comes. The SDK lets through what goes wrong in mid-stream: a connection that
is cut, a body that is not in the encoding that it names."""

BREAKING: Final = frozenset(
    {"timeout", "connection", "overloaded", "server_error", "unauthorized", "spend_limit", "error"}
)
"""Failures that say something about the model and nothing about this request."""

_REPEATED: Final = frozenset({"connection", "rate_limited", "overloaded", "server_error"})
_FIRST_PAUSE_S: Final = 0.5
_SERVER_ERROR: Final = 500
_BAD_REQUEST: Final = 400
_SPENDING: Final = re.compile(r"spend|credit|billing|usage limit|budget", re.IGNORECASE)
_BY_TYPE: Final = {
    "rate_limit_error": "rate_limited",
    "overloaded_error": "overloaded",
    "api_error": "server_error",
    "authentication_error": "unauthorized",
    "permission_error": "unauthorized",
    "billing_error": "spend_limit",
    "invalid_request_error": "bad_request",
}
_BY_STATUS: Final = {
    401: "unauthorized",
    402: "spend_limit",
    403: "unauthorized",
    429: "rate_limited",
    529: "overloaded",
}


def kind_of(error: Exception) -> str:
    """Which of the reasons it is. An error inside an answer that began well has status 200: its type tells."""
    if isinstance(error, TimeoutError | APITimeoutError | httpx2.TimeoutException):
        return "timeout"
    if isinstance(error, APIConnectionError | httpx2.TransportError):
        return "connection"
    if not isinstance(error, APIStatusError):
        return "error"
    kind = _BY_TYPE.get(str(error.type)) or _BY_STATUS.get(error.status_code)
    if kind == "rate_limited" and _SPENDING.search(f"{error.error_code} {error.api_message}"):
        return "spend_limit"
    if kind:
        return kind
    return "bad_request" if _BAD_REQUEST <= error.status_code < _SERVER_ERROR else "server_error"


def pause_s(error: Exception, attempt: int) -> float | None:
    """How long to wait before asking again; None: not at all."""
    if kind_of(error) not in _REPEATED:
        return None
    said = _retry_after_s(error)
    if said is not None:
        return said
    return _FIRST_PAUSE_S * 2.0**attempt * random.uniform(0.5, 1.0)  # noqa: S311 - jitter


def _retry_after_s(error: Exception) -> float | None:
    if not isinstance(error, APIStatusError):
        return None
    try:
        return max(float(error.response.headers.get("retry-after", "")), 0.0)
    except ValueError:
        return None
