"""Batches at once wait for each other where they must, on the real database and in the simulation's store."""

import asyncio
import random
from uuid import UUID

import pytest
from fix_outcomes_desk import Desk, Pause
from fix_outcomes_doubles import add_message, create_session, outcome_of
from fix_outcomes_stores import Look
from patience import eventually
from shared.contracts.commands import Action
from shared.ids import new_id


async def test_two_batches_on_one_session_are_decided_one_after_the_other(
    either_desk: Desk, look: Look
) -> None:
    session = await either_desk.open_session()
    fix = await either_desk.suggest(session)
    pause = Pause("commands: before commit")
    first, second = (
        either_desk.command(outcome_of(session, fix, name)) for name in ("applied_success", "dismissed")
    )

    winning = asyncio.create_task(either_desk.record(first, checkpoint=pause))
    await pause.reached.wait()
    losing = asyncio.create_task(either_desk.send(second))
    await eventually(look.someone_waits)
    pause.go_on()

    [won], _ = await winning
    [lost] = await losing
    assert (won.status, lost.status) == (200, 409)
    assert lost.body["current"] == won.body


async def test_batches_on_other_sessions_do_not_wait(either_desk: Desk) -> None:
    held, free = await either_desk.open_session(), await either_desk.open_session()
    pause = Pause("commands: before commit")
    holding = asyncio.create_task(
        either_desk.record(either_desk.command(add_message(held)), checkpoint=pause)
    )
    await pause.reached.wait()

    answer = await either_desk.ask(add_message(free))

    assert answer.status == 201
    assert not holding.done()
    pause.go_on()
    await holding


async def test_batches_that_share_sessions_in_any_order_never_deadlock(either_desk: Desk, look: Look) -> None:
    sessions = [await either_desk.open_session() for _ in range(6)]
    chance = random.Random(7)
    batches = [
        [either_desk.command(add_message(session)) for session in chance.sample(sessions, 5)]
        for _ in range(60)
    ]

    recorded = await asyncio.gather(*(either_desk.record(*batch) for batch in batches))

    assert all(failures == [] for _, failures in recorded)
    assert {answer.status for answers, _ in recorded for answer in answers} == {201}
    for session in sessions:
        found = await sequences(look, session)
        assert found == list(range(1, len(found) + 1))


@pytest.mark.parametrize("what", ["a new session", "a message", "a refusal"])
async def test_one_command_in_two_batches_at_once_is_decided_once(
    either_desk: Desk, look: Look, what: str
) -> None:
    session = await either_desk.open_session()
    actions: dict[str, Action] = {
        "a new session": create_session(),
        "a message": add_message(session),
        "a refusal": add_message(new_id()),
    }
    asked = either_desk.command(actions[what])
    pause = Pause("commands: before commit")

    first = asyncio.create_task(either_desk.record(asked, checkpoint=pause))
    await pause.reached.wait()
    second = asyncio.create_task(either_desk.record(either_desk.command(create_session()), asked))
    await eventually(look.someone_waits)
    pause.go_on()

    [answer], _ = await first
    answers, failures = await second
    assert failures == []
    assert [each.replayed for each in (answer, answers[1])] == [False, True]
    assert (answers[1].status, answers[1].body) == (answer.status, answer.body)
    assert await entered(look, asked.command_id) == (0 if what == "a refusal" else 1)


async def test_of_many_engineers_with_one_if_match_one_wins(either_desk: Desk, look: Look) -> None:
    session = await either_desk.open_session()
    fix = await either_desk.suggest(session)
    asked = [either_desk.command(outcome_of(session, fix, "applied_pending"), if_match=2) for _ in range(12)]

    recorded = await asyncio.gather(*(either_desk.send(each) for each in asked))

    assert sorted(answer.status for [answer] in recorded) == [200] + [412] * 11
    assert await sequences(look, session) == [1, 2, 3]


async def entered(look: Look, command_id: UUID) -> int:
    return len(await look.rows("journal", command_id=command_id))


async def sequences(look: Look, session_id: UUID) -> list[int]:
    return sorted(row["sequence"] for row in await look.rows("journal", session_id=session_id))
