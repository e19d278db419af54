"""What a client may write in `PATCH …/outcome`."""

from typing import Any

import pytest
from shared.contracts.commands import RecordOutcome
from unit.gateway.gateway_doubles import OUTCOME, Bench


def sent(bench: Bench) -> RecordOutcome:
    (command,) = bench.commands.asked
    assert isinstance(command.action, RecordOutcome)
    return command.action


@pytest.mark.parametrize("outcome", ["applied_pending", "applied_partial"])
@pytest.mark.parametrize(
    "body", [{}, {"notes": None}, {"notes": ""}, {"notes": " \n\t "}, {"notes": "\u200b\ufeff\u00a0\u2060"}]
)
async def test_parking_without_notes_is_400_and_says_notes(
    bench: Bench, outcome: str, body: dict[str, Any]
) -> None:
    reply = await bench.send("PATCH", OUTCOME, json={"outcome": outcome} | body)
    assert reply.status_code == 400
    assert "notes" in reply.json()["detail"]


@pytest.mark.parametrize("outcome", ["applied_success", "applied_failed", "dismissed"])
@pytest.mark.parametrize("notes", [None, "", "  "])
async def test_blank_notes_are_none_where_they_are_optional(
    bench: Bench, outcome: str, notes: str | None
) -> None:
    reply = await bench.send("PATCH", OUTCOME, json={"outcome": outcome, "notes": notes})
    assert reply.status_code == 200
    assert sent(bench).notes is None


async def test_notes_are_trimmed_and_then_measured(bench: Bench) -> None:
    reply = await bench.send(
        "PATCH", OUTCOME, json={"outcome": "applied_partial", "notes": f"  {'ü' * 4_000}\n"}
    )
    assert reply.status_code == 200
    assert sent(bench).notes == "ü" * 4_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"outcome": "proposed"}',
        b'{"outcome": "APPLIED_SUCCESS"}',
        b'{"notes": "no outcome"}',
        b'{"outcome": "applied_success", "status": "dismissed"}',
        b'{"outcome": "applied_partial", "notes": "' + b"x" * 4_001 + b'"}',
        b'{"outcome": "applied_failed", "notes": "a\\u0000b"}',
        b'{"outcome": "applied_failed", "notes": "a\\ud800b"}',
        b'{"outcome": "applied_failed", "\\ud800": 1}',
        b'{"outcome": "applied_failed", "notes": 7}',
        b'{"outcome": "applied_failed", "notes": ' + b"[" * 50_000 + b"}",
        b'{"outcome": ' + b"9" * 5_000 + b"}",
        b"\xff\xfe\x00",
    ],
    ids=lambda body: body[:40].decode(errors="replace"),
)
async def test_what_is_no_outcome_is_422_and_nothing_is_sent(bench: Bench, body: bytes) -> None:
    reply = await bench.send("PATCH", OUTCOME, content=body, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert not bench.commands.asked


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded"])
async def test_a_body_that_is_not_said_to_be_json_is_422_and_told_how_to_say_so(
    bench: Bench, media_type: str
) -> None:
    content, headers = b'{"outcome": "dismissed"}', {"Content-Type": media_type}
    reply = await bench.send("PATCH", OUTCOME, content=content, headers=headers)
    assert (reply.status_code, reply.json()["errors"][0]["location"]) == (422, "header.Content-Type")
    assert "application/json" in reply.json()["detail"]
    assert not bench.commands.asked


async def test_a_refusal_of_the_shape_names_the_place_and_repeats_no_value(bench: Bench) -> None:
    reply = await bench.send("PATCH", OUTCOME, json={"outcome": "s3cret-value"})
    assert reply.json()["errors"][0]["location"] == "body.outcome"
    assert "s3cret-value" not in reply.text


@pytest.mark.parametrize("path", [OUTCOME.replace("0192f", "zzzzz", 1), OUTCOME.replace("-7000", "")])
async def test_an_id_that_is_no_uuid_is_422(bench: Bench, path: str) -> None:
    reply = await bench.send("PATCH", path, json={"outcome": "applied_success"})
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")


async def test_a_body_that_does_not_say_it_is_json_is_422(bench: Bench) -> None:
    reply = await bench.send(
        "PATCH", OUTCOME, content=b'{"outcome":"dismissed"}', headers={"Content-Type": "text/plain"}
    )
    assert reply.status_code == 422


@pytest.mark.parametrize("confidence", [True, "80", 80.5, -1, 101])
async def test_a_confidence_is_a_whole_number_up_to_100(bench: Bench, confidence: Any) -> None:
    reply = await bench.send(
        "POST",
        OUTCOME.rpartition("/suggested-fixes/")[0] + "/suggested-fixes",
        json={"title": "t", "description": "d", "confidence_pct": confidence},
    )
    assert reply.status_code == 422
