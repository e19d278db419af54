"""A header that comes twice: lists go on in the next line; of what is one thing, nobody knows which was meant."""

import pytest
from unit.gateway.gateway_doubles import OUTCOME, Bench, signed

DISMISSED = {"outcome": "dismissed"}


@pytest.mark.parametrize("keys", [("a", "b"), ("a", "a")])
async def test_two_idempotency_keys_are_422(bench: Bench, keys: tuple[str, str]) -> None:
    headers = [("Idempotency-Key", key) for key in keys]
    reply = await bench.send("PATCH", OUTCOME, json=DISMISSED, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")
    assert not bench.commands.asked


async def test_two_versions_to_rest_on_are_422(bench: Bench) -> None:
    headers = [("If-Match", '"7"'), ("If-Match", '"8"')]
    reply = await bench.send("PATCH", OUTCOME, json=DISMISSED, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")
    assert not bench.commands.asked


async def test_preferences_go_on_in_the_next_line(bench: Bench) -> None:
    headers = [("Prefer", "handling=lenient"), ("Prefer", "respond-async"), ("Prefer", "wait=3, wait=4")]
    reply = await bench.send("PATCH", OUTCOME, json=DISMISSED, headers=headers)
    assert bench.commands.timeouts == [3]
    assert reply.headers["Preference-Applied"] == "respond-async, wait=3"


async def test_two_tokens_prove_nobody(bench: Bench) -> None:
    headers = [("Authorization", f"Bearer {signed(role=role)}") for role in ("viewer", "admin")]
    assert (await bench.send("GET", "/api/v1/ai-sessions", token="", headers=headers)).status_code == 401


async def test_of_two_traces_none_is_followed(bench: Bench) -> None:
    headers = [("traceparent", f"00-{digit * 32}-00f067aa0ba902b7-01") for digit in "ab"]
    reply = await bench.send("GET", "/nowhere", headers=headers)
    assert reply.json()["trace_id"] not in ("a" * 32, "b" * 32)
