"""What became of a queued change, and who may know."""

from datetime import UTC, datetime
from typing import Any

import pytest
from gateway.receipts import Receipt, Receipts
from shared.contracts.queries import GetOperation
from shared.courier import Unanswered
from unit.gateway.gateway_doubles import ACCOUNT, FIX, OTHER_ACCOUNT, Bench, answer, settings, signed

AT = datetime(2026, 11, 2, 9, 30, 0, 123_000, tzinfo=UTC)
RECEIPTS = Receipts(settings().operation_key.get_secret_value())
RECEIPT = Receipt(FIX, AT, "0123456789abcdef" * 2)
OPERATION_ID = RECEIPTS.write(RECEIPT, account_id=ACCOUNT)


def recorded(bench: Bench, **body: Any) -> None:
    bench.queries.answer = lambda query: answer(query.ref, **body)


async def show(bench: Bench, operation_id: str = OPERATION_ID, token: str | None = None) -> Any:
    return await bench.send("GET", f"/api/v1/operations/{operation_id}", token=token)


def test_an_operation_id_is_read_by_its_own_account() -> None:
    assert RECEIPTS.read(OPERATION_ID, account_id=ACCOUNT) == RECEIPT


@pytest.mark.parametrize(
    "operation_id",
    [
        "x",
        "",
        "ü",
        "A" * 54,
        OPERATION_ID[:-1],
        OPERATION_ID + "A",
        OPERATION_ID.swapcase(),
        Receipts("another key, as long as it").write(RECEIPT, account_id=ACCOUNT),
    ],
)
def test_anything_else_is_no_operation_id(operation_id: str) -> None:
    assert RECEIPTS.read(operation_id, account_id=ACCOUNT) is None


async def test_another_accounts_operation_is_not_found_exactly_as_an_invented_one(bench: Bench) -> None:
    foreign = (await show(bench, token=signed(account_id=str(OTHER_ACCOUNT)))).json()
    invented = (await show(bench, "A" * 54)).json()
    too_long = (await show(bench, "A" * 2_000)).json()
    for problem in (foreign, invented, too_long):
        del problem["instance"], problem["trace_id"]
    assert foreign == invented == too_long
    assert foreign["status"] == 404
    assert not bench.queries.asked


async def test_an_operation_that_the_log_does_not_know_is_pending(bench: Bench) -> None:
    bench.queries.answer = lambda query: answer(query.ref, 404, code="not_found", detail="Not here")
    assert (await show(bench)).json() == {
        "operation_id": OPERATION_ID,
        "status": "pending",
        "accepted_at": "2026-11-02T09:30:00.123000Z",
    }


async def test_an_operation_whose_answer_is_forgotten_is_still_told_to_have_succeeded(bench: Bench) -> None:
    recorded(bench, state="succeeded")
    assert (await show(bench)).json() == {
        "operation_id": OPERATION_ID,
        "status": "succeeded",
        "accepted_at": "2026-11-02T09:30:00.123000Z",
    }


async def test_an_operation_that_nobody_can_be_asked_about_is_pending(bench: Bench) -> None:
    def away(_: Any) -> Any:
        raise Unanswered

    bench.queries.answer = away
    reply = await show(bench)
    assert (reply.status_code, reply.json()["status"]) == (200, "pending")


async def test_the_command_log_is_asked_on_behalf_of_the_very_request_that_was_queued(bench: Bench) -> None:
    await show(bench)
    (query,) = bench.queries.asked
    assert query.question == GetOperation(command_id=FIX, fingerprint=RECEIPT.fingerprint)


async def test_a_parked_operation_is_pending_and_says_so(bench: Bench) -> None:
    recorded(bench, state="parked")
    operation = (await show(bench)).json()
    assert (operation["status"], operation["parked"]) == ("pending", True)


async def test_a_decided_operation_shows_what_http_would_have_said(bench: Bench) -> None:
    recorded(bench, state="succeeded", http_status=200, answer={"id": str(FIX)})
    operation = (await show(bench)).json()
    assert (operation["status"], operation["http_status"]) == ("succeeded", 200)
    assert operation["answer"] == {"id": str(FIX)}


async def test_a_rejected_operation_shows_the_problem(bench: Bench) -> None:
    refusal = {"code": "outcome_final", "detail": "It is final", "current": {}}
    recorded(bench, state="rejected", http_status=409, answer=refusal)
    operation = (await show(bench)).json()
    assert (operation["status"], operation["http_status"]) == ("rejected", 409)
    assert operation["answer"].items() >= (refusal | {"status": 409, "title": "The outcome is final"}).items()
