"""Which failures are repeated, by what the Messages API says of them."""

from typing import get_args

import httpx2
import pytest
from anthropic import APIConnectionError, APIStatusError, APITimeoutError
from anthropic.types import Model
from note_generator.asking import REASONS, kind_of, pause_s
from note_generator.breaker import Breaker
from note_generator.settings import Settings

ASKED = httpx2.Request("POST", "http://127.0.0.1/v1/messages")


def error(status: int, kind: str, message: str = "no", **headers: str) -> APIStatusError:
    body = {"type": "error", "error": {"type": kind, "message": message}}
    return APIStatusError(
        message, response=httpx2.Response(status, headers=headers, request=ASKED), body=body
    )


@pytest.mark.parametrize(
    ("failure", "kind", "repeated"),
    [
        (error(200, "overloaded_error"), "overloaded", True),
        (error(200, "api_error"), "server_error", True),
        (error(200, "rate_limit_error"), "rate_limited", True),
        (error(529, "overloaded_error"), "overloaded", True),
        (error(503, "nothing known"), "server_error", True),
        (error(429, "rate_limit_error"), "rate_limited", True),
        (error(429, "rate_limit_error", "You reached your spend limit"), "spend_limit", False),
        (error(402, "billing_error"), "spend_limit", False),
        (error(400, "invalid_request_error"), "bad_request", False),
        (error(401, "authentication_error"), "unauthorized", False),
        (APIConnectionError(request=ASKED), "connection", True),
        (APITimeoutError(request=ASKED), "timeout", False),
        (httpx2.ReadError("cut"), "connection", True),
        (httpx2.DecodingError("no gzip"), "error", False),
        (ValueError("nonsense"), "error", False),
    ],
)
def test_a_failure_is_known_by_its_type_and_then_by_its_status(
    failure: Exception, kind: str, repeated: bool
) -> None:
    assert kind_of(failure) == kind
    assert (pause_s(failure, 0) is not None) == repeated
    assert REASONS[kind]


def test_retry_after_is_what_counts_and_else_the_pause_grows() -> None:
    assert pause_s(error(429, "rate_limit_error", **{"retry-after": "7"}), 0) == 7.0
    first, third = pause_s(error(529, "overloaded_error"), 0), pause_s(error(529, "overloaded_error"), 2)
    assert first is not None
    assert third is not None
    assert first <= 0.5
    assert 1.0 <= third <= 2.0


def test_a_breaker_opens_lets_one_try_and_closes() -> None:
    now = 0.0
    breaker = Breaker(failures=2, pause_s=10, now=lambda: now)
    breaker.failed()
    assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open
    now = 10.0
    assert [breaker.is_open, breaker.is_open] == [False, True]
    breaker.succeeded()
    assert not breaker.is_open


def test_every_model_with_a_price_is_one_that_the_sdk_knows() -> None:
    settings, known = (
        Settings.model_construct(),
        {name for each in get_args(Model) for name in get_args(each)},
    )
    assert {settings.model, *settings.prices} <= known
    for price in settings.prices.values():
        assert price.cache_read < price.input < price.cache_write < price.output
