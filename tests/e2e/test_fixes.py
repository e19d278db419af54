"""A suggested fix apart from its outcome: applied, guessed about, replaced by a newer one."""

import pytest
from e2e.client import SESSIONS, Person, fix_path

DONE = (("applied_pending", "until noon"), ("applied_success", None), ("dismissed", None))


async def test_apply_stamps_applied_at_and_keeps_it_proposed(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    applied = (await engineer.apply(fix)).fix
    assert (applied.status, applied.verified_at) == ("proposed", None)
    assert applied.applied_at
    assert applied.state_version == fix.state_version + 1


async def test_a_second_apply_changes_nothing(engineer: Person, colleague: Person) -> None:
    applied = await engineer.applied_fix()
    assert (await colleague.apply(applied)).fix == applied
    assert await engineer.version(applied.session_id) == applied.state_version
    assert [each.kind for each in await engineer.transitions(applied)].count("fix.applied") == 1


@pytest.mark.parametrize(("outcome", "notes"), DONE)
async def test_only_a_proposed_fix_can_be_applied(engineer: Person, outcome: str, notes: str | None) -> None:
    fix = (await engineer.record(await engineer.suggested_fix(), outcome, notes)).fix
    refused = await engineer.apply(fix)
    assert (refused.status, refused.code) == (409, "not_proposed")
    assert refused.body["current"]["status"] == outcome


async def test_the_verdict_keeps_when_the_fix_was_applied(engineer: Person) -> None:
    applied = await engineer.applied_fix()
    assert (await engineer.record(applied, "applied_success")).fix.applied_at == applied.applied_at


async def test_a_proposal_replaces_an_older_one_and_changes_no_status(
    engineer: Person, program: Person
) -> None:
    fix = await engineer.suggested_fix()
    await program.propose(fix, outcome="pending", reason="Client: it replicates")
    newer = (await program.propose(fix, outcome="success", reason="Client: it is back")).fix
    assert newer.ai_outcome_proposal
    assert newer.ai_outcome_proposal.reason == "Client: it is back"
    assert (newer.status, newer.state_version, newer.applied_at) == ("proposed", fix.state_version, None)


async def test_a_proposal_is_a_change_but_no_new_version(engineer: Person, program: Person) -> None:
    fix = await engineer.suggested_fix()
    before = await engineer.session(fix.session_id)
    await program.propose(fix)
    await engineer.clear_proposal(fix)
    after = await engineer.session(fix.session_id)
    assert (after.state_version, after.sequence) == (before.state_version, before.sequence + 2)


async def test_clearing_a_proposal_is_idempotent_and_changes_no_status(
    engineer: Person, program: Person
) -> None:
    fix = await engineer.suggested_fix()
    await program.propose(fix)
    for _ in range(2):
        cleared = (await engineer.clear_proposal(fix)).fix
        assert (cleared.ai_outcome_proposal, cleared.status) == (None, "proposed")
        assert cleared.state_version == fix.state_version


@pytest.mark.parametrize("outcome", ["applied_success", "applied_failed", "dismissed"])
async def test_nothing_is_proposed_about_a_final_fix(engineer: Person, program: Person, outcome: str) -> None:
    fix = (await engineer.record(await engineer.suggested_fix(), outcome)).fix
    assert (await program.propose(fix)).status == 409
    assert (await engineer.clear_proposal(fix)).status == 200


async def test_a_newer_fix_supersedes_a_proposed_one(engineer: Person, program: Person) -> None:
    older = await engineer.suggested_fix()
    newer = await engineer.suggest(older.session_id, title="Replace the router")
    superseded = await engineer.fix(older)
    assert superseded.superseded_at
    assert superseded.allowed_outcomes == ()
    refused = await engineer.record(older, "applied_success")
    assert (refused.status, refused.code) == (409, "fix_superseded")
    assert (await program.propose(older)).status == 409
    assert (await engineer.get(f"{SESSIONS}/{older.session_id}/suggested-fixes/active")).fix == newer


async def test_a_parked_fix_is_never_superseded(engineer: Person) -> None:
    parked = (await engineer.record(await engineer.suggested_fix(), "applied_pending", "replicating")).fix
    await engineer.suggest(parked.session_id)
    assert (await engineer.fix(parked)).superseded_at is None
    assert (await engineer.record(parked, "applied_success")).status == 200


async def test_the_active_fix_is_the_newest_that_is_neither_superseded_nor_terminal(engineer: Person) -> None:
    parked = (await engineer.record(await engineer.suggested_fix(), "applied_partial", "half of it")).fix
    active = f"{SESSIONS}/{parked.session_id}/suggested-fixes/active"
    newest = await engineer.suggest(parked.session_id)
    assert (await engineer.get(active)).fix.id == newest.id
    await engineer.record(newest, "dismissed")
    assert (await engineer.get(active)).fix.id == parked.id
    await engineer.record(parked, "applied_success")
    none = await engineer.get(active)
    assert (none.status, none.code) == (404, "not_found")


async def test_a_fix_is_found_under_its_own_session_only(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    other = await engineer.suggested_fix()
    swapped = fix_path(fix).replace(str(fix.session_id), str(other.session_id))
    assert (await engineer.get(swapped)).status == 404
    assert (await engineer.ask("PATCH", f"{swapped}/outcome", {"outcome": "dismissed"})).status == 404
    assert (await engineer.fix(fix)).status == "proposed"


async def test_a_viewer_changes_nothing(engineer: Person, viewer: Person) -> None:
    fix = await engineer.suggested_fix()
    for refused in (
        await viewer.record(fix, "applied_success"),
        await viewer.apply(fix),
        await viewer.propose(fix),
        await viewer.confirm(fix.session_id),
        await viewer.resolve(fix.session_id),
    ):
        assert (refused.status, refused.code) == (403, "forbidden"), refused
    assert await viewer.fix(fix) == fix


async def test_a_program_proposes_and_does_not_record(engineer: Person, program: Person) -> None:
    fix = await engineer.suggested_fix()
    assert (await program.propose(fix)).status == 200
    assert (await program.record(fix, "applied_success")).status == 403
