"""Two engineers at once, at two gateways: one of them wins, and time goes forward for both."""

import asyncio

import pytest
from e2e.client import SESSIONS, Person

AT_ONCE = 24
TERMINAL = ("applied_success", "applied_failed", "dismissed")


async def test_of_many_terminal_outcomes_at_once_exactly_one_is_accepted(
    engineer: Person, colleague: Person
) -> None:
    fix = await engineer.suggested_fix()
    answers = await asyncio.gather(
        *(
            (engineer, colleague)[number % 2].record(fix, TERMINAL[number % 3], f"verdict {number}")
            for number in range(AT_ONCE)
        )
    )
    [winner] = [answer for answer in answers if answer.accepted]
    losers = [answer for answer in answers if answer is not winner]
    assert {(loser.status, loser.code) for loser in losers} == {(409, "outcome_final")}
    assert all(loser.body["current"] == winner.body for loser in losers)
    assert await colleague.fix(fix) == winner.fix
    [recorded] = [each for each in await engineer.transitions(fix) if each.kind == "fix.outcome_recorded"]
    assert recorded.to == winner.fix.status


async def test_of_many_changes_that_rest_on_the_same_version_exactly_one_is_accepted(
    engineer: Person, colleague: Person
) -> None:
    session_id = await engineer.open_session()
    version = await engineer.version(session_id)
    answers = await asyncio.gather(
        *(
            (engineer, colleague)[number % 2].confirm(session_id, f"fact {number}", if_match=version)
            for number in range(AT_ONCE)
        )
    )
    [winner] = [answer for answer in answers if answer.accepted]
    losers = [answer for answer in answers if answer is not winner]
    assert {(loser.status, loser.code) for loser in losers} == {(412, "version_conflict")}
    assert (await engineer.get(f"{SESSIONS}/{session_id}/facts")).items == [winner.body]
    assert await engineer.version(session_id) == version + 1


async def test_changes_at_once_are_all_kept_in_one_order_without_a_gap(
    engineer: Person, colleague: Person
) -> None:
    fix = await engineer.suggested_fix()
    answers = await asyncio.gather(
        *(
            (engineer, colleague)[number % 2].record(fix, "applied_pending", f"reason {number}")
            for number in range(AT_ONCE)
        )
    )
    by_version = {answer.fix.state_version: answer.fix.pending_reason for answer in answers}
    told = (await engineer.transitions(fix))[-AT_ONCE:]
    assert [each.sequence for each in told] == list(range(3, 3 + AT_ONCE))
    assert {each.state_version: each.notes for each in told} == by_version
    assert (await engineer.fix(fix)).pending_reason == told[-1].notes


@pytest.mark.parametrize("sessions", [1, 4])
async def test_what_was_answered_before_a_change_was_sent_lies_before_it(
    engineer: Person, colleague: Person, sessions: int
) -> None:
    async def take_turns() -> None:
        fix = await engineer.suggested_fix()
        version = fix.state_version
        for number in range(6):
            person, reader = (engineer, colleague) if number % 2 else (colleague, engineer)
            after = (await person.record(fix, "applied_partial", f"step {number}")).fix.state_version
            assert after > version
            assert (await reader.fix(fix)).partial_notes == f"step {number}"
            version = after

    await asyncio.gather(*(take_turns() for _ in range(sessions)))
