"""Tracing that is off costs nothing and leaves nothing; what is sampled is told by the flags."""

from collections.abc import Iterator

import pytest
from opentelemetry.trace import SpanKind
from shared.contracts.text import sampled

from shared import telemetry

CONTEXT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, False), ("", False), (f"{CONTEXT}00", False), (f"{CONTEXT}01", True), (f"{CONTEXT}02", False),
     (f"{CONTEXT}03", True)],
)  # fmt: skip
def test_a_trace_is_sampled_by_the_lowest_bit_of_its_flags(given: str | None, expected: bool) -> None:
    assert sampled(given) is expected


def test_off_nothing_is_made_and_nothing_is_looked_at() -> None:
    assert not telemetry.on()
    assert telemetry.begin("x", f"{CONTEXT}01") is None
    assert telemetry.current() is None

    def never() -> Iterator[None]:
        raise AssertionError("looked at")
        yield

    with telemetry.batch("x", never(), SpanKind.PRODUCER) as trace:
        assert trace is None
    with telemetry.span("x", f"{CONTEXT}01") as trace, telemetry.inner("y"):
        assert trace is None
    assert telemetry.headers(trace) is None
