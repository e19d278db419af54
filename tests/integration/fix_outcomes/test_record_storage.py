"""Batches on the real database: what is written is read again, and nobody's failure or haste harms another."""

import asyncio
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fix_outcomes.domain.batch import Known, Logged, Writes
from fix_outcomes.domain.model import ChatMessage, Entry, Fact, Fix, Session
from fix_outcomes.storage import commands, rows
from fix_outcomes.storage.database import raw_transaction
from fix_outcomes_desk import Desk, Pause
from fix_outcomes_doubles import (
    SAM,
    add_message,
    confirm_fact,
    create_session,
    outcome_of,
    proposal,
    suggest_fix,
)
from patience import eventually
from shared.contracts import events
from shared.contracts.commands import ApplyFix, ProposeOutcome, ResolveSession
from shared.contracts.text import MAX_LONG_TEXT
from shared.contracts.views import Author, Ticket
from shared.contracts.vocabulary import FixStatus, MessageRole, SessionStatus, Visibility
from shared.ids import new_id

AWKWARD = "Straße ✓ 🖨️ «'\"\\/$1 %s {} -- ;\u2028\u0001\x7f\U0010ffff\r\n\tnull,\\u0000 e\u0301"
LONG = ("Zeile läuft über; " * 6000)[:MAX_LONG_TEXT]
AT = datetime(2026, 11, 2, 9, 30, 59, 999_999, tzinfo=UTC)


def a_session(account: UUID, **changes: Any) -> Session:
    session = Session(
        id=new_id(),
        account_id=account,
        title=AWKWARD,
        status=SessionStatus.ACTIVE,
        session_type="chat",
        intake_type="free_text",
        intake_text=LONG,
        ticket=Ticket(system="halopsa", id=AWKWARD[:30], url="https://psa.example/ü?q=1"),
        state_version=1,
        sequence=1,
        created_by=Author(id=SAM.id, name=AWKWARD),
        created_at=AT,
        updated_at=AT + timedelta(microseconds=1),
    )
    return replace(session, **changes)


def a_fix(session: Session, **changes: Any) -> Fix:
    fix = Fix(
        id=new_id(),
        account_id=session.account_id,
        session_id=session.id,
        title=AWKWARD,
        description=LONG,
        confidence_pct=0,
        status=FixStatus.APPLIED_PENDING,
        applied_at=AT,
        verified_at=None,
        partial_notes=AWKWARD,
        pending_reason=LONG[:4000],
        failure_reason=None,
        ai_outcome_proposal=proposal(reason=AWKWARD),
        superseded_at=None,
        created_at=AT,
        updated_at=AT,
    )
    return replace(fix, **changes)


def an_entry(session: Session, sequence: int, **changes: Any) -> Entry:
    command_id = new_id()
    entry = Entry(
        session_id=session.id,
        sequence=sequence,
        account_id=session.account_id,
        state_version=sequence,
        kind="fix.applied",
        fix_id=new_id(),
        from_status="proposed",
        to_status="applied_pending",
        notes=AWKWARD,
        actor=SAM,
        at=AT,
        command_id=command_id,
        data=events.FixApplied(
            account_id=session.account_id,
            session_id=session.id,
            command_id=command_id,
            state_version=sequence,
            actor=SAM.model_copy(update={"name": AWKWARD}),
            fix_id=new_id(),
            applied_at=AT,
        ),
    )
    return replace(entry, **changes)


async def store(desk: Desk, writes: Writes) -> None:
    """Writes, with an answer in the log, without which nothing is ever written."""
    if not writes.log:
        writes.log.append(a_logged(desk.account))
    async with raw_transaction(desk.engine, [desk.account]) as transaction:
        await commands.write(transaction, writes)


def a_logged(account: UUID, **changes: Any) -> Logged:
    logged = Logged(
        command_id=new_id(),
        account_id=account,
        fingerprint=AWKWARD[:40],
        status=409,
        answer={"code": "outcome_final", "current": {"title": AWKWARD, "none": None, "n": 1.5, "list": []}},
        accepted_at=AT,
        decided_at=AT + timedelta(microseconds=7),
    )
    return replace(logged, **changes)


async def known_of(desk: Desk, *batch: Any) -> Known:
    async with raw_transaction(desk.engine, [desk.account]) as transaction:
        return await commands.read_known(transaction, batch)


class TestRoundTrip:
    @pytest.mark.parametrize(
        "changes", [{}, {"title": None, "ticket": None}, {"ticket": Ticket(system="x", id="1")}]
    )
    async def test_a_session_is_read_as_it_was_written(self, desk: Desk, changes: dict[str, Any]) -> None:
        session = a_session(desk.account, **changes)
        await store(desk, Writes(created_sessions={session.id: session}))
        known = await known_of(desk, desk.command(add_message(session.id)))
        assert known.sessions == {session.id: session}

    async def test_a_changed_session_and_fix_are_read_in_their_last_state(self, desk: Desk) -> None:
        session = a_session(desk.account)
        fix = a_fix(session)
        await store(desk, Writes(created_sessions={session.id: session}, created_fixes={fix.id: fix}))
        later = AT + timedelta(days=400)
        moved = replace(
            session, status=SessionStatus.ESCALATED, state_version=5, sequence=9, updated_at=later
        )
        judged = replace(
            fix,
            status=FixStatus.APPLIED_FAILED,
            verified_at=later,
            failure_reason=AWKWARD,
            ai_outcome_proposal=None,
            updated_at=later,
        )

        await store(desk, Writes(changed_sessions={session.id: moved}, changed_fixes={fix.id: judged}))

        known = await known_of(desk, desk.command(ApplyFix(session_id=session.id, fix_id=fix.id)))
        assert known.sessions == {session.id: moved}
        assert known.fixes == {session.id: {fix.id: judged}}

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"confidence_pct": 100, "ai_outcome_proposal": None, "partial_notes": None},
            {"status": FixStatus.PROPOSED, "applied_at": None, "pending_reason": None},
            {"status": FixStatus.APPLIED_SUCCESS, "verified_at": AT},
            {"status": FixStatus.PROPOSED, "superseded_at": AT},
        ],
    )
    async def test_a_fix_is_read_as_it_was_written(self, desk: Desk, changes: dict[str, Any]) -> None:
        session = a_session(desk.account)
        fix = a_fix(session, **changes)
        await store(desk, Writes(created_sessions={session.id: session}, created_fixes={fix.id: fix}))
        known = await known_of(desk, desk.command(ApplyFix(session_id=session.id, fix_id=fix.id)))
        assert known.fixes == {session.id: {fix.id: fix}}

    async def test_a_log_entry_is_read_as_it_was_written(self, desk: Desk) -> None:
        logged = a_logged(desk.account)
        await store(desk, Writes(log=[logged]))
        known = await known_of(desk, desk.command(create_session(), command_id=logged.command_id))
        assert known.log == {(desk.account, logged.command_id): logged}

    async def test_a_message_and_a_fact_are_read_as_they_were_written(self, desk: Desk, owner: Any) -> None:
        session = a_session(desk.account)
        place = {"account_id": desk.account, "session_id": session.id, "author": Author(id=SAM.id, name=None)}
        message = ChatMessage(
            id=new_id(),
            sequence=2,
            role=MessageRole.ASSISTANT,
            content=LONG + AWKWARD,
            created_at=AT,
            **place,
        )
        fact = Fact(
            id=new_id(), sequence=3, text=AWKWARD, visibility=Visibility.INTERNAL, created_at=AT, **place
        )
        await store(desk, Writes(created_sessions={session.id: session}, messages=[message], facts=[fact]))

        assert rows.message(await row_of(owner, "messages", message.id)) == message
        assert rows.fact(await row_of(owner, "facts", fact.id)) == fact

    @pytest.mark.parametrize(
        "changes", [{}, {"fix_id": None, "from_status": None, "to_status": None, "notes": None}]
    )
    async def test_a_journal_entry_is_read_as_it_was_written_and_waits_in_the_outbox(
        self, desk: Desk, owner: Any, changes: dict[str, Any]
    ) -> None:
        entry = an_entry(a_session(desk.account), 1, **changes)

        await store(desk, Writes(entries=[entry]))

        row = await row_of(owner, "journal", entry.command_id, key="command_id")
        shown = rows.history_entry(row)
        assert [row[name] for name in ("kind", "at", "fix_id", "notes", "from_status", "to_status")] == [
            entry.kind,
            AT,
            entry.fix_id,
            entry.notes,
            entry.from_status,
            entry.to_status,
        ]
        assert shown["actor"] == SAM.model_dump(mode="json")
        assert events.FixApplied.model_validate(rows.event(row)["data"]) == entry.data
        waiting = await owner.fetch("select * from outbox where session_id = $1", entry.session_id)
        assert [(each["sequence"], each["published_at"]) for each in waiting] == [(1, None)]

    async def test_the_outbox_counts_up_in_the_order_of_the_entries(self, desk: Desk, owner: Any) -> None:
        session = a_session(desk.account)
        await store(desk, Writes(entries=[an_entry(session, sequence) for sequence in range(1, 201)]))
        waiting = await owner.fetch(
            "select sequence from outbox where session_id = $1 order by position", session.id
        )
        assert [each["sequence"] for each in waiting] == list(range(1, 201))


async def row_of(owner: Any, table: str, value: UUID, *, key: str = "id") -> dict[str, Any]:
    """One row, its JSON decoded as the services' driver does."""
    row = await owner.fetchrow(f"select * from {table} where {key} = $1", value)
    return {
        name: json.loads(row[name]) if name in {"author", "actor", "data"} else row[name]
        for name in dict(row)
    }


class TestBatches:
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

    async def test_a_whole_life_in_one_batch_leaves_rows_that_agree(self, desk: Desk, owner: Any) -> None:
        opening = desk.command(create_session())
        suggesting = desk.command(suggest_fix(opening.command_id))
        session, fix = opening.command_id, suggesting.command_id

        answers = await desk.send(
            opening,
            suggesting,
            desk.command(confirm_fact(session)),
            desk.command(ApplyFix(session_id=session, fix_id=fix)),
            desk.command(ProposeOutcome(session_id=session, fix_id=fix, proposal=proposal())),
            desk.command(outcome_of(session, fix, "applied_pending", AWKWARD)),
            desk.command(outcome_of(session, fix, "applied_success")),
            desk.command(ResolveSession(session_id=session)),
        )

        assert [answer.status for answer in answers] == [201, 201, 201, 200, 200, 200, 200, 200]
        counted = await owner.fetchrow(
            "select (select count(*) from journal where session_id = $1) as entries,"
            " (select count(*) from outbox where session_id = $1) as waiting,"
            " (select sequence from sessions where id = $1) as sequence,"
            " (select count(*) from command_log where account_id = $2) as answers",
            session,
            desk.account,
        )
        assert tuple(counted) == (8, 8, 8, 8)

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
        assert await entered(owner, poison.command_id) == 0
        assert await sequences(owner, session) == [1, 2, 3, 4, 5]
        assert (await desk.send(poison))[0].status == 201

    async def test_a_batch_that_dies_before_its_commit_leaves_nothing_and_can_be_repeated(
        self, desk: Desk, owner: Any
    ) -> None:
        session = await desk.open_session()
        asked = desk.command(add_message(session))

        async def die(name: str) -> None:
            if name == "commands: before commit":
                raise ConnectionResetError(name)

        with pytest.raises(ConnectionResetError):
            await desk.record(asked, checkpoint=die)

        assert await entered(owner, asked.command_id) == 0
        assert await sequences(owner, session) == [1]
        [answer] = await desk.send(asked)
        assert (answer.status, answer.replayed) == (201, False)

    async def test_a_repeat_is_answered_from_the_log_word_for_word(self, desk: Desk) -> None:
        asked = desk.command(create_session(title=AWKWARD[:200]))
        [first] = await desk.send(asked)
        [again] = await desk.send(asked)
        assert (again.body, again.status, again.replayed) == (first.body, first.status, True)

    async def test_commands_of_two_accounts_in_one_batch_reach_only_their_own(
        self, desk: Desk, other_desk: Desk
    ) -> None:
        mine, theirs = await desk.open_session(), await other_desk.open_session()
        answers = await desk.send(
            desk.command(add_message(mine)),
            other_desk.command(add_message(mine)),
            other_desk.command(add_message(theirs)),
            desk.command(add_message(theirs)),
        )
        assert [answer.status for answer in answers] == [201, 404, 201, 404]

    async def test_a_command_under_another_accounts_id_is_never_answered_with_its_answer(
        self, desk: Desk, other_desk: Desk, owner: Any
    ) -> None:
        secret = desk.command(add_message(await desk.open_session(), "our secret"))
        await desk.send(secret)
        session = await other_desk.open_session()
        forged = other_desk.command(add_message(session), command_id=secret.command_id)

        answers, failures = await desk.record(desk.command(create_session()), forged)

        assert [answer.status for answer in answers] == [201]
        assert [failure.command for failure in failures] == [forged]
        assert await sequences(owner, session) == [1]

    @pytest.mark.parametrize("what", ["a new session", "a message"])
    async def test_a_command_whose_answer_is_forgotten_is_refused_and_neither_done_again_nor_parked(
        self, desk: Desk, owner: Any, what: str
    ) -> None:
        session = await desk.open_session()
        asked = desk.command(create_session() if what == "a new session" else add_message(session))
        await desk.send(asked)
        await owner.execute("delete from command_log where command_id = $1", asked.command_id)

        answers = await desk.send(desk.command(confirm_fact(session)), asked)

        assert [answer.status for answer in answers] == [201, 422]
        assert answers[1].body["code"] == "idempotency_key_reused"
        assert await entered(owner, asked.command_id) == 1


async def entered(owner: Any, command_id: UUID) -> int:
    count: int = await owner.fetchval("select count(*) from journal where command_id = $1", command_id)
    return count


async def sequences(owner: Any, session_id: UUID) -> list[int]:
    found = await owner.fetch("select sequence from journal where session_id = $1 order by 1", session_id)
    return [row["sequence"] for row in found]


class TestTwoAtOnce:
    async def test_two_batches_on_one_session_are_decided_one_after_the_other(
        self, desk: Desk, owner: Any
    ) -> None:
        session = await desk.open_session()
        fix = await desk.suggest(session)
        pause = Pause("commands: before commit")
        first, second = (
            desk.command(outcome_of(session, fix, name)) for name in ("applied_success", "dismissed")
        )

        winning = asyncio.create_task(desk.record(first, checkpoint=pause))
        await pause.reached.wait()
        losing = asyncio.create_task(desk.send(second))
        await eventually(lambda: someone_waits(owner))
        pause.go_on()

        [won], _ = await winning
        [lost] = await losing
        assert (won.status, lost.status) == (200, 409)
        assert lost.body["current"] == won.body

    async def test_batches_on_other_sessions_do_not_wait(self, desk: Desk) -> None:
        held, free = await desk.open_session(), await desk.open_session()
        pause = Pause("commands: before commit")
        holding = asyncio.create_task(desk.record(desk.command(add_message(held)), checkpoint=pause))
        await pause.reached.wait()

        answer = await desk.ask(add_message(free))

        assert answer.status == 201
        assert not holding.done()
        pause.go_on()
        await holding

    async def test_batches_that_share_sessions_in_any_order_never_deadlock(
        self, desk: Desk, owner: Any
    ) -> None:
        sessions = [await desk.open_session() for _ in range(6)]
        chance = random.Random(7)
        batches = [
            [desk.command(add_message(session)) for session in chance.sample(sessions, 5)] for _ in range(60)
        ]

        recorded = await asyncio.gather(*(desk.record(*batch) for batch in batches))

        assert all(failures == [] for _, failures in recorded)
        assert {answer.status for answers, _ in recorded for answer in answers} == {201}
        for session in sessions:
            found = await sequences(owner, session)
            assert found == list(range(1, len(found) + 1))

    @pytest.mark.parametrize("what", ["a new session", "a message", "a refusal"])
    async def test_one_command_in_two_batches_at_once_is_decided_once(
        self, desk: Desk, owner: Any, what: str
    ) -> None:
        session = await desk.open_session()
        actions = {
            "a new session": create_session(),
            "a message": add_message(session),
            "a refusal": add_message(new_id()),
        }
        asked = desk.command(actions[what])
        pause = Pause("commands: before commit")

        first = asyncio.create_task(desk.record(asked, checkpoint=pause))
        await pause.reached.wait()
        second = asyncio.create_task(desk.record(desk.command(create_session()), asked))
        await eventually(lambda: someone_waits(owner))
        pause.go_on()

        [answer], _ = await first
        answers, failures = await second
        assert failures == []
        assert [each.replayed for each in (answer, answers[1])] == [False, True]
        assert (answers[1].status, answers[1].body) == (answer.status, answer.body)
        assert await entered(owner, asked.command_id) == (0 if what == "a refusal" else 1)

    async def test_of_many_engineers_with_one_if_match_one_wins(self, desk: Desk, owner: Any) -> None:
        session = await desk.open_session()
        fix = await desk.suggest(session)
        asked = [desk.command(outcome_of(session, fix, "applied_pending"), if_match=2) for _ in range(12)]

        recorded = await asyncio.gather(*(desk.send(each) for each in asked))

        assert sorted(answer.status for [answer] in recorded) == [200] + [412] * 11
        assert await sequences(owner, session) == [1, 2, 3]


async def someone_waits(owner: Any) -> bool:
    """Whether a transaction of this database waits for another's lock."""
    found: bool = await owner.fetchval(
        "select exists (select from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock')"
    )
    return found
