"""Logs: one JSON object a line, whatever is logged, and nothing that people wrote or that is secret."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog
from pydantic import SecretStr

from shared import logs

FORGED = 'x\r\n{"event": "admin logged in", "level": "info"}\u2028\u0085\x1b[31m'

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """All that was logged, a line each."""
    root, out = logging.getLogger(), io.StringIO()
    before = (root.handlers, root.level)
    monkeypatch.setattr(sys, "stdout", out)
    logs.configure(service="gateway", replica="7", level="info")
    yield lambda: [json.loads(line) for line in out.getvalue().split("\n") if line]
    root.handlers, root.level = before
    structlog.reset_defaults()


def log() -> logs.Logger:
    """A logger that nobody has used before the configuration."""
    return logs.logger(f"tests.{uuid4().hex}")


def test_a_record_says_what_where_and_when(lines: Lines) -> None:
    log().info("broker connection ready", connection="replies")

    (line,) = lines()
    assert line["event"] == "broker connection ready"
    assert (line["service"], line["replica"], line["level"]) == ("gateway", "7", "info")
    assert line["connection"] == "replies"
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("place", ["value", "name of a value", "text"])
def test_a_line_break_forges_no_line(lines: Lines, place: str) -> None:
    if place == "text":
        log().warning(FORGED)
    else:
        log().warning("refused", **({"reason": FORGED} if place == "value" else {FORGED: "reason"}))

    (line,) = lines()
    assert FORGED in {line["event"], line.get("reason"), *line}


def test_a_library_forges_no_line_either(lines: Lines) -> None:
    logging.getLogger("some.library").error("failed: %s", FORGED)

    (line,) = lines()
    assert line["event"] == f"failed: {FORGED}"
    assert line["service"] == "gateway"


def test_a_field_cannot_pass_for_the_service(lines: Lines) -> None:
    log().info("here", service="fix-outcomes", replica="0")

    (line,) = lines()
    assert (line["service"], line["replica"]) == ("gateway", "7")


def test_what_is_less_severe_than_the_level_is_not_logged(lines: Lines) -> None:
    log().debug("nothing")
    logging.getLogger("aiormq").info("nothing")

    assert lines() == []


def test_a_secret_stays_one(lines: Lines) -> None:
    log().info("connecting", url=SecretStr("amqp://gateway:correct-horse@broker.example/"))

    (line,) = lines()
    assert "correct-horse" not in json.dumps(line)


def test_a_failure_is_told_by_names_and_places_on_one_line(lines: Lines) -> None:
    def fails() -> None:
        raise RuntimeError("the relay lost its lock")

    try:
        fails()
    except RuntimeError:
        log().exception("the relay failed")

    (line,) = lines()
    first, *places = line["exception"].splitlines()
    assert first == "builtins.RuntimeError: the relay lost its lock"
    assert places[-1].endswith(" fails")
    assert "test_logs.py:" in places[-1]


def test_a_failure_does_not_quote_what_people_wrote(lines: Lines) -> None:
    """A database and a parser quote the value that they do not like."""
    error = LookupError("my password is correct-horse")
    error.__cause__ = ValueError("invalid input: 'my password is correct-horse'")

    log().error("a command failed alone", exc_info=error)
    logging.getLogger("some.library").error("failed", exc_info=error)

    for line in lines():
        assert "correct-horse" not in json.dumps(line)
        assert line["exception"].splitlines() == ["builtins.LookupError", "builtins.ValueError"]
    assert len(lines()) == 2


def test_a_circle_of_causes_ends(lines: Lines) -> None:
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one

    log().error("failed", exc_info=one)

    (line,) = lines()
    assert line["exception"].count("RuntimeError") == 2


def test_a_record_names_the_trace_the_account_and_the_command_of_its_task_and_nothing_else(
    lines: Lines,
) -> None:
    account, command = uuid4(), uuid4()
    token = logs.about.set(
        {"trace_id": "4bf92f35", "account_id": account, "path": "/secret", "body": b"what people wrote"}
    )
    try:
        log().warning("something is odd", command_id=str(command))
    finally:
        logs.about.reset(token)
    log().warning("something else is odd")

    during, after = lines()
    assert (during["trace_id"], during["account_id"]) == ("4bf92f35", str(account))
    assert during["command_id"] == str(command)
    assert not {"path", "body"} & during.keys()
    assert not {"trace_id", "account_id", "command_id"} & after.keys()


@pytest.mark.parametrize("context", [None, "", "nonsense", "a-b", "00-4bf92f35"])
def test_what_is_no_trace_context_names_no_trace(context: str | None) -> None:
    assert logs.trace_id_of(context) is None
    assert logs.trace_id_of("00-4bf92f35-00f067aa-01") == "4bf92f35"
