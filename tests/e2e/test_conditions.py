"""If-Match and ETag: a change that rests on what the session no longer is, is refused."""

import pytest
from e2e.client import SESSIONS, Person, fix_path


async def test_a_session_shows_its_version_as_its_etag(engineer: Person) -> None:
    session_id = await engineer.open_session()
    for version in (1, 2):
        shown = await engineer.get(f"{SESSIONS}/{session_id}")
        assert shown.headers["ETag"] == f'"{version}"'
        assert shown.session.state_version == version
        await engineer.confirm(session_id)


async def test_a_change_that_rests_on_the_present_version_is_accepted(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    recorded = await engineer.record(fix, "applied_success", if_match=fix.state_version)
    assert recorded.fix.state_version == fix.state_version + 1


@pytest.mark.parametrize("off_by", [-1, 1])
async def test_a_change_that_rests_on_another_version_is_412_and_changes_nothing(
    engineer: Person, off_by: int
) -> None:
    fix = await engineer.suggested_fix()
    refused = await engineer.record(fix, "applied_success", if_match=fix.state_version + off_by)
    assert (refused.status, refused.code) == (412, "version_conflict")
    assert await engineer.fix(fix) == fix


@pytest.mark.parametrize("etag", ["7", 'W/"7"', '"x"', '"1", "2"', '""'])
async def test_an_if_match_that_is_no_version_is_422(engineer: Person, etag: str) -> None:
    fix = await engineer.suggested_fix()
    refused = await engineer.ask("POST", f"{fix_path(fix)}/apply", headers={"If-Match": etag})
    assert (refused.status, refused.code) == (422, "invalid")


async def test_a_proposal_disturbs_nobody_who_holds_a_version(engineer: Person, program: Person) -> None:
    fix = await engineer.suggested_fix()
    await program.propose(fix)
    assert (await engineer.record(fix, "applied_success", if_match=fix.state_version)).status == 200
