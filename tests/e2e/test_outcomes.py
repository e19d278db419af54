"""The rules of an outcome, over HTTP."""

import pytest
from e2e.client import Person

PARKED = ("applied_pending", "applied_partial")
TERMINAL = ("applied_success", "applied_failed", "dismissed")
OUTCOMES = (*PARKED, *TERMINAL)
NOTES_COLUMN = {"applied_pending": "pending_reason", "applied_partial": "partial_notes"}


async def test_success_stamps_applied_at_and_verified_at(engineer: Person) -> None:
    fix = (await engineer.record(await engineer.suggested_fix(), "applied_success")).fix
    assert fix.status == "applied_success"
    assert fix.applied_at
    assert fix.verified_at
    assert (fix.pending_reason, fix.partial_notes, fix.failure_reason) == (None, None, None)


@pytest.mark.parametrize("outcome", PARKED)
@pytest.mark.parametrize("notes", [None, "", " \t\n "], ids=["missing", "empty", "blank"])
async def test_parking_without_notes_is_400_that_mentions_notes_and_changes_nothing(
    engineer: Person, outcome: str, notes: str | None
) -> None:
    fix = await engineer.suggested_fix()
    refused = await engineer.record(fix, outcome, notes)
    assert (refused.status, refused.code) == (400, "notes_required")
    assert "notes" in refused.body["detail"]
    assert await engineer.fix(fix) == fix


async def test_null_notes_are_missing_notes(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    path = f"/api/v1/ai-sessions/{fix.session_id}/suggested-fixes/{fix.id}/outcome"
    refused = await engineer.ask("PATCH", path, {"outcome": "applied_pending", "notes": None})
    assert (refused.status, refused.code) == (400, "notes_required")


async def test_pending_keeps_its_reason_and_is_applied_but_not_verified(engineer: Person) -> None:
    answer = await engineer.record(
        await engineer.suggested_fix(), "applied_pending", "  waiting on AD replication "
    )
    fix = answer.fix
    assert fix.status == "applied_pending"
    assert fix.pending_reason == "waiting on AD replication"
    assert fix.applied_at
    assert (fix.verified_at, fix.partial_notes, fix.failure_reason) == (None, None, None)


async def test_partial_keeps_its_notes_and_is_applied_but_not_verified(engineer: Person) -> None:
    fix = (await engineer.record(await engineer.suggested_fix(), "applied_partial", "2 of 5 switches")).fix
    assert (fix.status, fix.partial_notes) == ("applied_partial", "2 of 5 switches")
    assert fix.applied_at
    assert (fix.verified_at, fix.pending_reason, fix.failure_reason) == (None, None, None)


@pytest.mark.parametrize("outcome", PARKED)
async def test_parking_again_replaces_the_text_and_keeps_the_time(engineer: Person, outcome: str) -> None:
    first = (await engineer.record(await engineer.suggested_fix(), outcome, "until noon")).fix
    again = (await engineer.record(first, outcome, "until tomorrow")).fix
    assert again.status == outcome
    assert getattr(again, NOTES_COLUMN[outcome]) == "until tomorrow"
    assert again.applied_at == first.applied_at


@pytest.mark.parametrize("parked", PARKED)
@pytest.mark.parametrize("terminal", TERMINAL)
async def test_a_parked_fix_takes_a_verdict_and_keeps_its_earlier_text(
    engineer: Person, parked: str, terminal: str
) -> None:
    first = (await engineer.record(await engineer.suggested_fix(), parked, "waiting on the client")).fix
    last = (await engineer.record(first, terminal)).fix
    assert last.status == terminal
    assert getattr(last, NOTES_COLUMN[parked]) == "waiting on the client"
    assert last.applied_at == first.applied_at
    assert bool(last.verified_at) == (terminal != "dismissed")


async def test_pending_and_partial_may_follow_each_other_and_both_texts_are_kept(engineer: Person) -> None:
    fix = (await engineer.record(await engineer.suggested_fix(), "applied_partial", "one site")).fix
    fix = (await engineer.record(fix, "applied_pending", "second site replicates")).fix
    assert (fix.partial_notes, fix.pending_reason) == ("one site", "second site replicates")
    fix = (await engineer.record(fix, "applied_partial", "third site is left")).fix
    assert (fix.partial_notes, fix.pending_reason) == ("third site is left", "second site replicates")


async def test_failed_keeps_its_reason_and_leaves_partial_notes_null(engineer: Person) -> None:
    fix = (await engineer.record(await engineer.suggested_fix(), "applied_failed", "still rebooting")).fix
    assert (fix.status, fix.failure_reason, fix.partial_notes) == ("applied_failed", "still rebooting", None)
    assert fix.applied_at
    assert fix.verified_at


async def test_dismissed_stamps_nothing(engineer: Person) -> None:
    fix = (await engineer.record(await engineer.suggested_fix(), "dismissed", "too risky today")).fix
    assert (fix.status, fix.applied_at, fix.verified_at) == ("dismissed", None, None)


async def test_dismissing_an_applied_fix_keeps_when_it_was_applied(engineer: Person) -> None:
    applied = await engineer.applied_fix()
    fix = (await engineer.record(applied, "dismissed")).fix
    assert (fix.applied_at, fix.verified_at) == (applied.applied_at, None)


@pytest.mark.parametrize("terminal", TERMINAL)
async def test_a_terminal_outcome_is_locked(engineer: Person, terminal: str) -> None:
    final = (await engineer.record(await engineer.suggested_fix(), terminal)).fix
    for outcome in OUTCOMES:
        refused = await engineer.record(final, outcome, "and yet")
        assert (refused.status, refused.code) == (409, "outcome_final")
        assert refused.body["current"] == final.model_dump(mode="json")
    assert await engineer.fix(final) == final


async def test_proposed_is_no_outcome(engineer: Person) -> None:
    refused = await engineer.record(await engineer.suggested_fix(), "proposed")
    assert (refused.status, refused.code) == (422, "invalid")


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_every_accepted_outcome_raises_state_version_by_one_and_clears_the_proposal(
    engineer: Person, program: Person, outcome: str
) -> None:
    fix = await engineer.suggested_fix()
    assert (await program.propose(fix)).fix.ai_outcome_proposal
    recorded = await engineer.record(fix, outcome, "as told by the client")
    assert recorded.fix.state_version == fix.state_version + 1
    assert recorded.headers["ETag"] == f'"{fix.state_version + 1}"'
    assert recorded.fix.ai_outcome_proposal is None
    assert await engineer.fix(fix) == recorded.fix
    assert await engineer.version(fix.session_id) == fix.state_version + 1


async def test_the_notes_of_every_outcome_are_in_the_history(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    await engineer.record(fix, "applied_pending", "waiting on the backup window")
    await engineer.record(fix, "applied_success", "the job ran at 02:00")
    told = [(each.from_, each.to, each.notes) for each in await engineer.transitions(fix)][-2:]
    assert told == [
        ("proposed", "applied_pending", "waiting on the backup window"),
        ("applied_pending", "applied_success", "the job ran at 02:00"),
    ]


@pytest.mark.parametrize(("length", "status"), [(4_000, 200), (4_001, 422)])
async def test_notes_have_up_to_4000_characters_after_trimming(
    engineer: Person, length: int, status: int
) -> None:
    fix = await engineer.suggested_fix()
    assert (await engineer.record(fix, "applied_failed", f"  {'ä' * length}\n")).status == status


async def test_what_may_be_recorded_next_is_said_and_true(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    assert set(fix.allowed_outcomes) == set(OUTCOMES)
    parked = (await engineer.record(fix, "applied_pending", "replicating")).fix
    assert set(parked.allowed_outcomes) == set(OUTCOMES)
    assert (await engineer.record(fix, "applied_success")).fix.allowed_outcomes == ()
