"""A repeat with the same Idempotency-Key gets the first answer, and changes nothing."""

import asyncio
from uuid import uuid4

import pytest
from e2e.client import INTAKE, SESSIONS, Answer, Person, fix_path


def _same(first: Answer, second: Answer) -> bool:
    """The same answer, but for what belongs to the request."""
    bodies = [
        {name: value for name, value in answer.body.items() if name != "trace_id"}
        for answer in (first, second)
    ]
    return first.status == second.status and bodies[0] == bodies[1]


async def test_a_repeat_gets_the_first_answer_and_says_so(engineer: Person) -> None:
    fix, key = await engineer.suggested_fix(), str(uuid4())
    first = await engineer.record(fix, "applied_pending", "until noon", key=key)
    later = await engineer.record(fix, "applied_partial", "half of it")
    again = await engineer.record(fix, "applied_pending", "until noon", key=key)
    assert (first.replayed, again.replayed) == (False, True)
    assert _same(first, again)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert await engineer.fix(fix) == later.fix


async def test_a_repeated_creation_creates_nothing(engineer: Person) -> None:
    session_id, key = await engineer.open_session(), str(uuid4())
    first = await engineer.confirm(session_id, key=key)
    again = await engineer.confirm(session_id, key=key)
    assert _same(first, again)
    assert (first.status, again.status) == (201, 201)
    assert len((await engineer.get(f"{SESSIONS}/{session_id}/facts")).items) == 1


async def test_a_repeated_session_is_the_same_session(engineer: Person) -> None:
    content = {"session_type": "chat", "intake_type": "free_text", "intake_content": {"text": INTAKE}}
    key = str(uuid4())
    first, again = [await engineer.post(SESSIONS, content, key=key) for _ in range(2)]
    assert (first.replayed, again.replayed) == (False, True)
    assert _same(first, again)
    assert first.headers["Location"] == again.headers["Location"] == f"{SESSIONS}/{first.session.id}"
    assert len((await engineer.get(SESSIONS)).items) == 1


async def test_a_refusal_is_kept_too(engineer: Person) -> None:
    fix, key = await engineer.applied_fix(), str(uuid4())
    path = f"{SESSIONS}/{fix.session_id}/resolve"
    refused = await engineer.post(path, key=key)
    assert (refused.status, refused.code) == (409, "fix_needs_outcome")
    await engineer.record(fix, "applied_success")
    again = await engineer.post(path, key=key)
    assert again.replayed
    assert _same(refused, again)
    assert (await engineer.session(fix.session_id)).status == "active"


async def test_what_the_gateway_refused_by_itself_does_not_use_the_key_up(engineer: Person) -> None:
    fix, key = await engineer.suggested_fix(), str(uuid4())
    assert (await engineer.record(fix, "applied_pending", " ", key=key)).status == 400
    assert (await engineer.record(fix, "applied_nonsense", key=key)).status == 422
    recorded = await engineer.record(fix, "applied_pending", "until noon", key=key)
    assert (recorded.status, recorded.replayed) == (200, False)


async def test_the_same_key_with_another_request_is_422(engineer: Person, colleague: Person) -> None:
    fix, other, key = await engineer.suggested_fix(), await engineer.suggested_fix(), str(uuid4())
    version = fix.state_version
    (await engineer.record(fix, "applied_pending", "until noon", key=key, if_match=version)).good()
    for refused in (
        await engineer.record(fix, "applied_pending", "until one", key=key, if_match=version),
        await engineer.record(fix, "applied_success", key=key, if_match=version),
        await engineer.record(other, "applied_pending", "until noon", key=key, if_match=version),
        await engineer.record(fix, "applied_pending", "until noon", key=key, if_match=version + 1),
        await engineer.record(fix, "applied_pending", "until noon", key=key),
        await colleague.record(fix, "applied_pending", "until noon", key=key, if_match=version),
        await engineer.apply(other, key=key),
    ):
        assert (refused.status, refused.code) == (422, "idempotency_key_reused"), refused
    assert await engineer.version(fix.session_id) == version + 1
    assert (await engineer.fix(other)).status == "proposed"


async def test_concurrent_twins_get_one_answer_and_one_journal_entry(engineer: Person) -> None:
    fix, key = await engineer.suggested_fix(), str(uuid4())
    twins = await asyncio.gather(*(engineer.record(fix, "applied_success", key=key) for _ in range(12)))
    assert {twin.status for twin in twins} == {200}
    assert all(_same(twins[0], twin) for twin in twins)
    assert sum(not twin.replayed for twin in twins) <= 1
    assert len([each for each in await engineer.transitions(fix) if each.to == "applied_success"]) == 1
    assert await engineer.version(fix.session_id) == fix.state_version + 1


async def test_keys_belong_to_an_account(engineer: Person, stranger: Person) -> None:
    key = str(uuid4())
    mine, theirs = await engineer.suggested_fix(), await stranger.suggested_fix()
    first = await engineer.record(mine, "applied_success", key=key)
    second = await stranger.record(theirs, "dismissed", key=key)
    assert (first.fix.status, second.fix.status) == ("applied_success", "dismissed")
    assert not second.replayed
    assert (await stranger.record(mine, "applied_success", key=key)).status == 404


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "ümlaut"])
async def test_a_key_has_1_to_255_visible_characters(engineer: Person, key: str) -> None:
    fix = await engineer.suggested_fix()
    headers = {"Idempotency-Key": key.encode("latin-1")}
    refused = await engineer.ask("POST", f"{fix_path(fix)}/apply", headers=headers)
    assert (refused.status, refused.code) == (422, "invalid")
    assert (await engineer.fix(fix)).applied_at is None


async def test_the_longest_key_is_accepted(engineer: Person) -> None:
    assert (await engineer.apply(await engineer.suggested_fix(), key="~" * 255)).status == 200
