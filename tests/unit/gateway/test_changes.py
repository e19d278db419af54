"""How a change becomes a command, and how its answer becomes HTTP."""

from collections.abc import Callable
from typing import Any, NoReturn
from uuid import UUID

import pytest
from shared.contracts.vocabulary import Role
from shared.courier import CourierError, NotSent, Unanswered
from unit.gateway.gateway_doubles import (
    ACCOUNT,
    FIX,
    OTHER_ACCOUNT,
    OUTCOME,
    SESSION,
    USER,
    Bench,
    answer,
    signed,
)

DISMISSED = {"outcome": "dismissed"}
FIXES = f"/api/v1/ai-sessions/{SESSION}/suggested-fixes"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def raising(error: CourierError) -> Callable[[Any], NoReturn]:
    def raise_it(_: Any) -> NoReturn:
        raise error

    return raise_it


async def record(bench: Bench, *, token: str | None = None, body: Any = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await bench.send("PATCH", OUTCOME, token=token, json=body or DISMISSED, headers=named)


async def test_a_command_carries_the_tokens_actor_and_account(bench: Bench) -> None:
    await record(bench, token=signed(role="lead", name=" Sam "))
    (command,) = bench.commands.asked
    assert command.account_id == ACCOUNT
    assert (command.actor.id, command.actor.role, command.actor.name) == (USER, Role.LEAD, "Sam")


async def test_a_command_carries_the_callers_trace(bench: Bench) -> None:
    await record(bench, traceparent=TRACEPARENT)
    assert bench.commands.asked[0].traceparent == TRACEPARENT


@pytest.mark.parametrize("given", ["", "nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01", "x" * 500])
async def test_a_trace_that_is_none_is_replaced(bench: Bench, given: str) -> None:
    await record(bench, traceparent=given)
    made = bench.commands.asked[0].traceparent
    assert made is not None
    assert made != given
    assert len(made) == len(TRACEPARENT)


async def test_the_same_key_gives_the_same_command_whatever_else_differs(bench: Bench) -> None:
    await record(bench, Idempotency_Key="k")
    await record(bench, Idempotency_Key="k", body={"outcome": "applied_success"})
    first, second = bench.commands.asked
    assert first.command_id == second.command_id
    assert first.fingerprint != second.fingerprint


async def test_keys_belong_to_an_account(bench: Bench) -> None:
    await record(bench, Idempotency_Key="k")
    await record(bench, Idempotency_Key="k", token=signed(account_id=str(OTHER_ACCOUNT)))
    ours, theirs = bench.commands.asked
    assert ours.command_id != theirs.command_id


async def test_without_a_key_every_request_is_a_command_of_its_own(bench: Bench) -> None:
    await record(bench)
    await record(bench)
    first, second = bench.commands.asked
    assert first.command_id != second.command_id


async def test_a_repeat_has_the_same_fingerprint_however_its_json_is_written(bench: Bench) -> None:
    for content in (b'{"outcome":"dismissed","notes":"no"}', b'{ "notes" : " no ", "outcome":"dismissed" }'):
        await bench.send(
            "PATCH",
            OUTCOME,
            content=content,
            headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
        )
    first, second = bench.commands.asked
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize(
    "other",
    [
        lambda: {"If_Match": '"7"'},
        lambda: {"token": signed(sub="0192f000-0000-7000-8000-0000000000ff")},
        lambda: {"body": {"outcome": "dismissed", "notes": "no"}},
    ],
    ids=["another If-Match", "another person", "another body"],
)
async def test_another_request_has_another_fingerprint(
    bench: Bench, other: Callable[[], dict[str, Any]]
) -> None:
    await record(bench, Idempotency_Key="k")
    await record(bench, Idempotency_Key="k", **other())
    first, second = bench.commands.asked
    assert first.fingerprint != second.fingerprint


async def test_if_match_is_the_version_that_the_change_rests_on(bench: Bench) -> None:
    await record(bench, If_Match='"7"')
    await record(bench, If_Match="*")
    assert [command.if_match for command in bench.commands.asked] == [7, None]


async def test_the_answer_comes_with_its_version_as_etag(bench: Bench) -> None:
    reply = await record(bench)
    assert (reply.status_code, reply.headers["ETag"]) == (200, '"8"')
    assert "Idempotency-Replayed" not in reply.headers


async def test_a_first_answer_given_again_says_so(bench: Bench) -> None:
    bench.commands.answer = lambda command: answer(command.ref, replayed=True)
    assert (await record(bench, Idempotency_Key="k")).headers["Idempotency-Replayed"] == "true"


async def test_what_was_created_can_be_found(bench: Bench) -> None:
    bench.commands.answer = lambda command: answer(command.ref, 201)
    body = {"title": "Firmware", "description": "3.2.1", "confidence_pct": 80}
    reply = await bench.send("POST", FIXES, json=body)
    assert (reply.status_code, reply.headers["Location"]) == (201, f"{FIXES}/{FIX}")


async def test_a_refusal_becomes_a_problem_with_all_its_members(bench: Bench) -> None:
    members: dict[str, Any] = {"code": "outcome_final", "detail": "It is final", "current": {"id": str(FIX)}}
    bench.commands.answer = lambda command: answer(command.ref, 409, **members)
    reply = await record(bench)
    assert reply.headers["Content-Type"] == "application/problem+json"
    problem = reply.json()
    assert problem.items() >= (members | {"status": 409, "instance": OUTCOME}).items()
    assert problem["title"] == "The outcome is final"
    assert len(problem["trace_id"]) == 32


async def test_a_queued_change_without_an_answer_is_202_with_the_address_of_its_operation(
    bench: Bench,
) -> None:
    bench.commands.answer = raising(Unanswered())
    reply = await record(bench)
    operation = reply.json()
    assert (reply.status_code, operation["status"]) == (202, "pending")
    assert reply.headers["Location"] == f"/api/v1/operations/{operation['operation_id']}"


async def test_a_change_that_was_not_queued_is_503(bench: Bench) -> None:
    bench.commands.answer = raising(NotSent())
    reply = await record(bench)
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
    assert reply.headers["Retry-After"]


@pytest.mark.parametrize(
    ("prefer", "timeout_s", "at_once"),
    [
        ("wait=2", 2, False),
        ("wait=600", 5, False),
        ("wait=0", 5, True),
        ("respond-async", 5, True),
        ("Respond-Async, wait=3", 3, False),
        ("respond-async; really=yes", 5, True),
        ("respond-async, wait=99999999", 5, False),
        ("handling=lenient", 5, False),
        ("wait=soon", 5, False),
    ],
)
async def test_the_client_says_how_long_it_wants_to_wait(
    bench: Bench, prefer: str, timeout_s: float, at_once: bool
) -> None:
    await record(bench, Prefer=prefer)
    assert (bench.commands.timeouts, bench.commands.until_confirmed) == ([timeout_s], [at_once])


async def test_a_preference_that_was_followed_is_named(bench: Bench) -> None:
    assert (await record(bench, Prefer="wait=2")).headers["Preference-Applied"] == "wait=2"
    assert "Preference-Applied" not in (await record(bench, Prefer="handling=lenient")).headers


@pytest.mark.parametrize("key", ["", "with space", "ümlaut", "x" * 256, "tab\there"])
async def test_a_key_that_cannot_be_one_is_422(bench: Bench, key: str) -> None:
    reply = await bench.send("PATCH", OUTCOME, json=DISMISSED, headers={b"Idempotency-Key": key.encode()})
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("version", ["7", "", 'W/"7"', '"seven"', '"7", "8"', '"07"', f'"{"9" * 30}"'])
async def test_an_if_match_that_cannot_be_a_version_is_422(bench: Bench, version: str) -> None:
    assert (await record(bench, If_Match=version)).status_code == 422


async def test_ids_of_the_path_reach_the_action(bench: Bench) -> None:
    await bench.send("POST", f"{FIXES}/{FIX}/apply")
    action = bench.commands.asked[0].action
    assert (getattr(action, "session_id", None), getattr(action, "fix_id", None)) == (SESSION, UUID(str(FIX)))
