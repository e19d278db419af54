"""The short way for outcomes and the ordinary route must not be told apart by any client."""

from typing import Any

import httpx
import pytest
from unit.gateway.gateway_doubles import OUTCOME, Bench, answer

LANE, ORDINARY = "application/json", "application/json; charset=utf-8"
"""The lane takes the plain media type alone; a parameter sends the same request the ordinary way."""

SHAPES = [
    {"outcome": "applied_success"},
    {"outcome": "applied_success", "notes": None},
    {"outcome": "applied_failed", "notes": "  still no sync  "},
    {"outcome": "applied_pending", "notes": "Waiting for AD replication"},
    {"outcome": "applied_partial", "notes": "ü" * 4_000},
    {"outcome": "dismissed", "notes": ""},
    {"outcome": "applied_pending"},
    {"outcome": "applied_pending", "notes": "   "},
    {"outcome": "proposed"},
    {"outcome": "applied_failed", "notes": "x" * 4_001},
    {"outcome": "applied_failed", "more": 1},
    {},
    [],
    None,
]
HEADERS = [
    {},
    {"Idempotency-Key": "k", "If-Match": '"7"', "Prefer": "wait=2"},
    {"Prefer": "respond-async"},
    {"Idempotency-Key": "with space"},
    {"If-Match": "7"},
]


async def record(content_type: str, body: Any, headers: dict[str, str], **request: Any) -> tuple[Any, ...]:
    """What the client sees and what fix-outcomes is sent, without what differs with every request."""
    bench = Bench()
    bench.commands.answer = lambda command: answer(command.ref, replayed=command.if_match == 7)
    reply: httpx.Response = await bench.send(
        "PATCH", OUTCOME, json=body, headers=headers | {"Content-Type": content_type}, **request
    )
    shown = {name: value for name, value in reply.json().items() if name != "trace_id"}
    seen = {name: value for name, value in reply.headers.items() if name != "content-length"}
    changing = {"command_id", "issued_at", "traceparent"}
    sent = [command.model_dump(mode="json", exclude=changing) for command in bench.commands.asked]
    return reply.status_code, seen, shown, sent, bench.commands.timeouts, bench.commands.until_confirmed


@pytest.mark.parametrize("body", SHAPES, ids=lambda body: str(body)[:50])
async def test_both_ways_agree_about_a_body(body: Any) -> None:
    assert await record(LANE, body, {}) == await record(ORDINARY, body, {})


@pytest.mark.parametrize("headers", HEADERS, ids=str)
async def test_both_ways_agree_about_headers(headers: dict[str, str]) -> None:
    body = {"outcome": "dismissed"}
    assert await record(LANE, body, headers) == await record(ORDINARY, body, headers)


@pytest.mark.parametrize("role", ["viewer", "service", "lead"])
async def test_both_ways_agree_about_a_role(role: str) -> None:
    body = {"outcome": "applied_pending"}
    assert await record(LANE, body, {}, role=role) == await record(ORDINARY, body, {}, role=role)


async def test_the_lane_is_taken_by_the_plain_media_type_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    async def lane(*_: Any) -> Any:
        taken.append(True)
        raise AssertionError

    monkeypatch.setattr("gateway.lane.OutcomeLane._record", lane)
    body = {"outcome": "dismissed"}
    assert (await record(ORDINARY, body, {}))[0] == 200
    assert not taken
    assert (await record(LANE, body, {}))[0] == 500
    assert taken
