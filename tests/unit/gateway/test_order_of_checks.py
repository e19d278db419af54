"""401, 413, 422, 403, 429, 400, then what fix-outcomes decides: of two reasons to refuse, the earlier one is told."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from unit.gateway.gateway_doubles import OUTCOME, Bench, signed

PENDING = {"outcome": "applied_pending"}
TOO_LONG = {"outcome": "applied_pending", "notes": "x" * 2_000}
NOT_A_SHAPE = {"outcome": "proposed"}


@pytest.fixture
def strict() -> Bench:
    """One request an hour, and short ones."""
    return Bench(max_body_bytes=1_024, rate_burst=1, rate_per_s=1 / 3_600)


def told(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["code"]


async def test_a_body_that_is_too_long_does_not_matter_without_a_token(strict: Bench) -> None:
    reply = await strict.send("PATCH", OUTCOME, token="", json=TOO_LONG)
    assert told(reply) == (401, "unauthenticated")


async def test_an_unknown_path_does_not_matter_without_a_token(strict: Bench) -> None:
    assert told(await strict.send("GET", "/api/v1/nothing", token="")) == (401, "unauthenticated")


async def test_the_length_of_a_body_comes_before_its_shape(strict: Bench) -> None:
    reply = await strict.send("PATCH", OUTCOME, json=TOO_LONG | NOT_A_SHAPE)
    assert told(reply) == (413, "payload_too_large")


async def test_the_length_of_a_body_that_comes_in_chunks_is_counted(strict: Bench) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"{" * 500

    assert told(await strict.send("PATCH", OUTCOME, content=chunks())) == (413, "payload_too_large")


async def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    bench = Bench(body_timeout_s=0.05)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    assert told(await bench.send("PATCH", OUTCOME, content=stalled())) == (408, "request_timeout")


async def test_a_viewers_malformed_body_is_422_and_a_well_formed_one_403(bench: Bench) -> None:
    malformed = await bench.send("PATCH", OUTCOME, role="viewer", json=NOT_A_SHAPE)
    well_formed = await bench.send("PATCH", OUTCOME, role="viewer", json=PENDING)
    assert (told(malformed), told(well_formed)) == ((422, "invalid"), (403, "forbidden"))


async def test_a_viewers_bad_if_match_is_422(bench: Bench) -> None:
    reply = await bench.send("PATCH", OUTCOME, role="viewer", json=PENDING, headers={"If-Match": "7"})
    assert told(reply) == (422, "invalid")


async def test_a_role_that_may_not_is_told_so_however_fast_it_asks(strict: Bench) -> None:
    for _ in range(3):
        assert told(await strict.send("PATCH", OUTCOME, role="viewer", json=PENDING)) == (403, "forbidden")


async def test_the_pace_comes_before_missing_notes(strict: Bench) -> None:
    first, second = [await strict.send("PATCH", OUTCOME, json=PENDING) for _ in range(2)]
    assert (told(first), told(second)) == ((400, "notes_required"), (429, "rate_limited"))
    assert int(second.headers["Retry-After"]) > 0


async def test_a_malformed_body_costs_no_token_of_the_pace(strict: Bench) -> None:
    await strict.send("PATCH", OUTCOME, json=NOT_A_SHAPE)
    assert told(await strict.send("PATCH", OUTCOME, json=PENDING)) == (400, "notes_required")


async def test_missing_notes_are_refused_before_anything_is_asked(bench: Bench) -> None:
    reply = await bench.send("PATCH", OUTCOME, token=signed(), json=PENDING)
    assert told(reply) == (400, "notes_required")
    assert not bench.commands.asked
