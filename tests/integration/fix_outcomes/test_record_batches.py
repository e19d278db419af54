"""A batch is all or nothing and harms no other: on the real database and in the simulation's store."""

from typing import Any
from uuid import UUID

import pytest
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message, confirm_fact, create_session, outcome_of, proposal, suggest_fix
from fix_outcomes_stores import Look, RealLook
from shared.contracts.commands import ApplyFix, ProposeOutcome, ResolveSession

AWKWARD = "Straße ✓ 🖨️ «'\"\\/$1 %s {} -- ;\u2028\u0001\x7f\U0010ffff\r\n\tnull,\\u0000 e\u0301"


class TestOnEither:
    async def test_a_whole_life_in_one_batch_leaves_rows_that_agree(
        self, either_desk: Desk, look: Look
    ) -> None:
        opening = either_desk.command(create_session())
        suggesting = either_desk.command(suggest_fix(opening.command_id))
        session, fix = opening.command_id, suggesting.command_id

        answers = await either_desk.send(
            opening,
            suggesting,
            either_desk.command(confirm_fact(session)),
            either_desk.command(ApplyFix(session_id=session, fix_id=fix)),
            either_desk.command(ProposeOutcome(session_id=session, fix_id=fix, proposal=proposal())),
            either_desk.command(outcome_of(session, fix, "applied_pending", AWKWARD)),
            either_desk.command(outcome_of(session, fix, "applied_success")),
            either_desk.command(ResolveSession(session_id=session)),
        )

        assert [answer.status for answer in answers] == [201, 201, 201, 200, 200, 200, 200, 200]
        [moved] = await look.rows("sessions", id=session)
        assert await sequences(look, session) == list(range(1, moved["sequence"] + 1)) == list(range(1, 9))
        assert len(await look.rows("outbox", session_id=session)) == 8
        assert len(await look.rows("command_log", account_id=either_desk.account)) == 8

    async def test_a_batch_that_dies_before_its_commit_leaves_nothing_and_can_be_repeated(
        self, either_desk: Desk, look: Look
    ) -> None:
        session = await either_desk.open_session()
        asked = either_desk.command(add_message(session))

        async def die(name: str) -> None:
            if name == "commands: before commit":
                raise ConnectionResetError(name)

        with pytest.raises(ConnectionResetError):
            await either_desk.record(asked, checkpoint=die)

        assert await entered(look, asked.command_id) == 0
        assert await sequences(look, session) == [1]
        [answer] = await either_desk.send(asked)
        assert (answer.status, answer.replayed) == (201, False)

    async def test_a_repeat_is_answered_from_the_log_word_for_word(self, either_desk: Desk) -> None:
        asked = either_desk.command(create_session(title=AWKWARD[:200]))
        [first] = await either_desk.send(asked)
        [again] = await either_desk.send(asked)
        assert (again.body, again.status, again.replayed) == (first.body, first.status, True)

    async def test_commands_of_two_accounts_in_one_batch_reach_only_their_own(
        self, either_desk: Desk, other_either_desk: Desk
    ) -> None:
        mine, theirs = await either_desk.open_session(), await other_either_desk.open_session()
        answers = await either_desk.send(
            either_desk.command(add_message(mine)),
            other_either_desk.command(add_message(mine)),
            other_either_desk.command(add_message(theirs)),
            either_desk.command(add_message(theirs)),
        )
        assert [answer.status for answer in answers] == [201, 404, 201, 404]

    async def test_a_command_under_another_accounts_id_is_never_answered_with_its_answer(
        self, either_desk: Desk, other_either_desk: Desk, look: Look
    ) -> None:
        secret = either_desk.command(add_message(await either_desk.open_session(), "our secret"))
        await either_desk.send(secret)
        session = await other_either_desk.open_session()
        forged = other_either_desk.command(add_message(session), command_id=secret.command_id)

        answers, failures = await either_desk.record(either_desk.command(create_session()), forged)

        assert [answer.status for answer in answers] == [201]
        assert [failure.command for failure in failures] == [forged]
        assert await sequences(look, session) == [1]

    @pytest.mark.parametrize("what", ["a new session", "a message"])
    async def test_a_command_whose_answer_is_forgotten_is_refused_and_neither_done_again_nor_parked(
        self, either_desk: Desk, look: Look, what: str
    ) -> None:
        session = await either_desk.open_session()
        asked = either_desk.command(create_session() if what == "a new session" else add_message(session))
        await either_desk.send(asked)
        await look.forget_answer(asked.command_id)

        answers = await either_desk.send(either_desk.command(confirm_fact(session)), asked)

        assert [answer.status for answer in answers] == [201, 422]
        assert answers[1].body["code"] == "idempotency_key_reused"
        assert await entered(look, asked.command_id) == 1


class TestOnPostgresAlone:
    async def test_128_commands_are_one_transaction(self, desk: Desk, owner: Any) -> None:
        sessions = [await desk.open_session() for _ in range(4)]
        batch = [
            desk.command(add_message(sessions[number % 4], f"{number}"), ref=number) for number in range(128)
        ]

        answers = await desk.send(*batch)

        assert [answer.ref for answer in answers] == list(range(128))
        assert {answer.status for answer in answers} == {201}
        stored = await owner.fetch(
            "select xmin::text, content from messages where account_id = $1", desk.account
        )
        assert sorted(int(row["content"]) for row in stored) == list(range(128))
        assert len({row["xmin"] for row in stored}) == 1

    async def test_a_command_that_the_database_refuses_fails_alone(self, desk: Desk, owner: Any) -> None:
        session = await desk.open_session()
        await owner.execute("alter table messages add constraint poison check (content <> 'poison')")
        good = [desk.command(add_message(session, f"good {number}")) for number in range(4)]
        poison = desk.command(add_message(session, "poison"))

        try:
            answers, failures = await desk.record(*good[:2], poison, *good[2:])
        finally:
            await owner.execute("alter table messages drop constraint poison")

        assert [answer.status for answer in answers] == [201] * 4
        assert [failure.command for failure in failures] == [poison]
        assert type(failures[0].error).__name__ == "CheckViolationError"
        assert await entered(RealLook(owner), poison.command_id) == 0
        assert await sequences(RealLook(owner), session) == [1, 2, 3, 4, 5]
        assert (await desk.send(poison))[0].status == 201


async def entered(look: Look, command_id: UUID) -> int:
    return len(await look.rows("journal", command_id=command_id))


async def sequences(look: Look, session_id: UUID) -> list[int]:
    return sorted(row["sequence"] for row in await look.rows("journal", session_id=session_id))
