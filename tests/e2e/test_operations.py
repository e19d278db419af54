"""A change that is queued, and what becomes of it."""

import string
from uuid import uuid4

import pytest
from e2e.client import SESSIONS, Answer, Person
from patience import eventually

OPERATIONS = "/api/v1/operations"


async def _decided(person: Person, queued: Answer) -> Answer:
    """The operation, once it is pending no more."""

    async def look() -> Answer | None:
        shown = await person.get(queued.headers["Location"])
        return shown if shown.operation.status != "pending" else None

    return await eventually(look)


async def test_respond_async_is_202_with_an_operation_that_succeeds(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    queued = await engineer.record(fix, "applied_success", prefer="respond-async")
    assert queued.status == 202
    assert queued.operation.status == "pending"
    assert queued.headers["Location"] == f"{OPERATIONS}/{queued.operation.operation_id}"
    assert queued.headers["Preference-Applied"] == "respond-async"
    done = await _decided(engineer, queued)
    assert (done.operation.status, done.operation.http_status) == ("succeeded", 200)
    assert done.operation.accepted_at == queued.operation.accepted_at
    assert done.operation.answer == (await engineer.fix(fix)).model_dump(mode="json")


async def test_an_operation_that_is_refused_shows_the_problem(engineer: Person) -> None:
    fix = (await engineer.record(await engineer.suggested_fix(), "applied_success")).fix
    done = await _decided(engineer, await engineer.record(fix, "dismissed", prefer="respond-async"))
    assert (done.operation.status, done.operation.http_status) == ("rejected", 409)
    assert done.operation.answer
    assert done.operation.answer["code"] == "outcome_final"
    assert done.operation.answer["current"] == fix.model_dump(mode="json")


async def test_a_queued_creation_tells_what_it_created(engineer: Person) -> None:
    session_id = await engineer.open_session()
    done = await _decided(engineer, await engineer.confirm(session_id, prefer="respond-async"))
    assert (done.operation.status, done.operation.http_status) == ("succeeded", 201)
    assert [done.operation.answer] == (await engineer.get(f"{SESSIONS}/{session_id}/facts")).items


async def test_another_request_under_a_used_key_is_rejected_though_nobody_waited(engineer: Person) -> None:
    session_id, key = await engineer.open_session(), str(uuid4())
    (await engineer.post(f"{SESSIONS}/{session_id}/facts", {"text": "one"}, key=key)).good()
    queued = await engineer.post(
        f"{SESSIONS}/{session_id}/facts", {"text": "another"}, key=key, prefer="respond-async"
    )
    done = await _decided(engineer, queued)
    assert (done.operation.status, done.operation.http_status) == ("rejected", 422)
    assert done.operation.answer
    assert done.operation.answer["code"] == "idempotency_key_reused"


async def test_what_the_gateway_refuses_is_never_queued(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    assert (await engineer.record(fix, "applied_pending", prefer="respond-async")).status == 400


async def test_a_repeat_of_a_queued_change_gets_its_answer(engineer: Person) -> None:
    fix, key = await engineer.suggested_fix(), str(uuid4())
    queued = await engineer.record(fix, "applied_success", key=key, prefer="respond-async")
    await _decided(engineer, queued)
    repeated = await engineer.record(fix, "applied_success", key=key)
    assert (repeated.status, repeated.replayed) == (200, True)
    again = await engineer.record(fix, "applied_success", key=key, prefer="respond-async")
    assert again.status == 202
    assert (await engineer.get(again.headers["Location"])).operation.status == "succeeded"
    assert await engineer.version(fix.session_id) == fix.state_version + 1


@pytest.mark.parametrize("prefer", ["wait=5", "respond-async, wait=5"])
async def test_who_waits_gets_the_answer(engineer: Person, prefer: str) -> None:
    fix = await engineer.suggested_fix()
    recorded = await engineer.record(fix, "applied_success", prefer=prefer)
    assert recorded.status == 200
    assert recorded.headers["Preference-Applied"] == prefer


async def test_who_will_not_wait_at_all_is_202(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    queued = await engineer.record(fix, "applied_success", prefer="wait=0")
    assert queued.status == 202
    assert (await _decided(engineer, queued)).operation.status == "succeeded"


async def test_an_unknown_preference_is_ignored(engineer: Person) -> None:
    recorded = await engineer.record(
        await engineer.suggested_fix(), "applied_success", prefer="handling=lenient"
    )
    assert recorded.status == 200
    assert "Preference-Applied" not in recorded.headers


async def test_an_operation_of_another_account_is_not_found(engineer: Person, stranger: Person) -> None:
    queued = await engineer.apply(await engineer.suggested_fix(), prefer="respond-async")
    refused = await stranger.get(queued.headers["Location"])
    assert (refused.status, refused.code) == (404, "not_found")
    assert (await engineer.get(queued.headers["Location"])).status == 200


async def test_a_forged_operation_id_is_not_found(engineer: Person) -> None:
    queued = await engineer.apply(await engineer.suggested_fix(), prefer="respond-async")
    genuine = queued.operation.operation_id
    other = "A" if genuine[0] != "A" else "B"
    middle = len(genuine) // 2
    flipped = "A" if genuine[middle] != "A" else "B"
    for forged in (
        other + genuine[1:],
        genuine[:middle] + flipped + genuine[middle + 1 :],
        genuine[:-2],
        genuine + "AA",
        genuine + "==",
        genuine[:-1] + _neighbour(genuine[-1]),
        str(uuid4()),
        "A",
    ):
        refused = await engineer.get(f"{OPERATIONS}/{forged}")
        assert (refused.status, refused.code) == (404, "not_found"), forged


def _neighbour(character: str) -> str:
    """Another that differs in the lowest bit: it decodes to the same bytes at the end of an id."""
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    return letters[letters.index(character) ^ 1]
