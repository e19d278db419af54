"""Nothing that is asked about the record shows anything of anybody else's."""

import inspect
from typing import get_args
from uuid import UUID

import pytest
from fix_outcomes import handlers
from fix_outcomes.storage.database import connect
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message, outcome_of
from integration.fix_outcomes.questions import look, see
from places import Database
from shared.contracts.queries import (
    GetActiveFix,
    GetFix,
    GetOperation,
    GetSession,
    GetSnapshot,
    ListEvents,
    ListFacts,
    ListFixes,
    ListHistory,
    ListMessages,
    ListPendingVerifications,
    ListSessions,
    Query,
    Record,
)
from shared.ids import new_id


class TestIsolation:
    @pytest.mark.parametrize("role", ["runtime", "admin"])
    async def test_every_question_about_another_accounts_things_is_answered_as_about_unknown_ones(
        self, desk: Desk, other_desk: Desk, database: Database, role: str
    ) -> None:
        """As the owner, whom no row-level security binds, too: the questions name the account themselves."""
        session = await desk.open_session()
        fix = await desk.suggest(session)
        asked = desk.command(add_message(session, "our secret"))
        await desk.send(asked)
        own = await other_desk.open_session()

        def about(session: UUID, fix: UUID, command_id: UUID) -> list[Record]:
            return [
                GetSession(session_id=session),
                ListMessages(session_id=session),
                ListFacts(session_id=session),
                ListFixes(session_id=session),
                GetActiveFix(session_id=session),
                GetFix(session_id=session, fix_id=fix),
                GetFix(session_id=own, fix_id=fix),
                ListHistory(session_id=session),
                ListHistory(session_id=session, fix_id=fix),
                ListHistory(session_id=own, fix_id=fix),
                ListEvents(session_id=session),
                GetOperation(command_id=command_id),
                GetSnapshot(session_id=session),
            ]

        engine = connect(getattr(database, f"{role}_url"), name="stranger", connections=1)
        stranger = Desk(engine, other_desk.account)
        foreign = await look(stranger, *about(session, fix, asked.command_id))
        unknown = await look(stranger, *about(new_id(), new_id(), new_id()))
        assert [item["id"] for item in (await see(stranger, ListSessions()))["items"]] == [str(own)]
        assert (await see(stranger, ListSessions(cursor=session)))["items"] == []
        assert (await see(stranger, ListPendingVerifications()))["items"] == []
        await engine.dispose()

        assert [answer.status for answer in foreign] == [404] * len(foreign)
        assert [answer.body for answer in foreign] == [answer.body for answer in unknown]
        assert all(
            answer.status == 200 for answer in await look(desk, *about(session, fix, asked.command_id)[:6])
        )

    async def test_lists_show_the_own_account_alone_and_a_foreign_cursor_finds_nothing(
        self, desk: Desk, other_desk: Desk
    ) -> None:
        theirs = await desk.open_session()
        fix = await desk.suggest(theirs)
        await desk.ask(outcome_of(theirs, fix, "applied_pending", "until tonight"))
        own = await other_desk.open_session()

        listed = await see(other_desk, ListSessions())
        assert [item["id"] for item in listed["items"]] == [str(own)]
        for cursor in (theirs, new_id()):
            assert await see(other_desk, ListSessions(cursor=cursor)) == {"items": [], "next_cursor": None}
        assert (await see(other_desk, ListPendingVerifications()))["items"] == []
        for cursor in (fix, new_id()):
            body = await see(other_desk, ListPendingVerifications(cursor=cursor))
            assert body == {"items": [], "next_cursor": None}

    async def test_questions_of_two_accounts_in_one_batch_see_only_their_own(
        self, desk: Desk, other_desk: Desk
    ) -> None:
        mine, theirs = await desk.open_session(), await other_desk.open_session()
        batch = [
            Query(ref=number, account_id=each.account, question=GetSession(session_id=session))
            for number, (each, session) in enumerate(
                [(desk, mine), (desk, theirs), (other_desk, mine), (other_desk, theirs)]
            )
        ]
        answers = await handlers.answer(batch, engine=desk.engine)
        assert [answer.status for answer in answers] == [200, 404, 404, 200]


def test_every_kind_of_question_about_a_session_is_in_the_isolation_test() -> None:
    """A new question must be added there."""
    source = inspect.getsource(TestIsolation)
    assert [kind.__name__ for kind in get_args(Record) if f"{kind.__name__}(" not in source] == []
