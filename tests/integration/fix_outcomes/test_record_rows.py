"""What is written is read again as it was, word for word, on the real database and in the simulation's store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

import pytest
from fix_outcomes.domain.batch import Known, Logged, Writes
from fix_outcomes.domain.model import ChatMessage, Entry, Fact, Fix, Session
from fix_outcomes.storage import commands, rows
from fix_outcomes.storage.database import raw_transaction
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import SAM, add_message, create_session, proposal
from fix_outcomes_stores import Look
from shared.contracts import events
from shared.contracts.commands import ApplyFix
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
    async def test_a_session_is_read_as_it_was_written(
        self, either_desk: Desk, changes: dict[str, Any]
    ) -> None:
        session = a_session(either_desk.account, **changes)
        await store(either_desk, Writes(created_sessions={session.id: session}))
        known = await known_of(either_desk, either_desk.command(add_message(session.id)))
        assert known.sessions == {session.id: session}

    async def test_a_changed_session_and_fix_are_read_in_their_last_state(self, either_desk: Desk) -> None:
        session = a_session(either_desk.account)
        fix = a_fix(session)
        await store(either_desk, Writes(created_sessions={session.id: session}, created_fixes={fix.id: fix}))
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

        await store(either_desk, Writes(changed_sessions={session.id: moved}, changed_fixes={fix.id: judged}))

        known = await known_of(
            either_desk, either_desk.command(ApplyFix(session_id=session.id, fix_id=fix.id))
        )
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
    async def test_a_fix_is_read_as_it_was_written(self, either_desk: Desk, changes: dict[str, Any]) -> None:
        session = a_session(either_desk.account)
        fix = a_fix(session, **changes)
        await store(either_desk, Writes(created_sessions={session.id: session}, created_fixes={fix.id: fix}))
        known = await known_of(
            either_desk, either_desk.command(ApplyFix(session_id=session.id, fix_id=fix.id))
        )
        assert known.fixes == {session.id: {fix.id: fix}}

    async def test_a_log_entry_is_read_as_it_was_written(self, either_desk: Desk) -> None:
        logged = a_logged(either_desk.account)
        await store(either_desk, Writes(log=[logged]))
        known = await known_of(
            either_desk, either_desk.command(create_session(), command_id=logged.command_id)
        )
        assert known.log == {(either_desk.account, logged.command_id): logged}

    async def test_a_message_and_a_fact_are_read_as_they_were_written(
        self, either_desk: Desk, look: Look
    ) -> None:
        session = a_session(either_desk.account)
        place: dict[str, Any] = {
            "account_id": either_desk.account,
            "session_id": session.id,
            "author": Author(id=SAM.id, name=None),
        }
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
        await store(
            either_desk, Writes(created_sessions={session.id: session}, messages=[message], facts=[fact])
        )

        assert rows.message(await row_of(look, "messages", id=message.id)) == message
        assert rows.fact(await row_of(look, "facts", id=fact.id)) == fact

    @pytest.mark.parametrize(
        "changes", [{}, {"fix_id": None, "from_status": None, "to_status": None, "notes": None}]
    )
    async def test_a_journal_entry_is_read_as_it_was_written_and_waits_in_the_outbox(
        self, either_desk: Desk, look: Look, changes: dict[str, Any]
    ) -> None:
        entry = an_entry(a_session(either_desk.account), 1, **changes)

        await store(either_desk, Writes(entries=[entry]))

        row = await row_of(look, "journal", command_id=entry.command_id)
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
        waiting = await look.rows("outbox", session_id=entry.session_id)
        assert [(each["sequence"], each["published_at"]) for each in waiting] == [(1, None)]

    async def test_the_outbox_counts_up_in_the_order_of_the_entries(
        self, either_desk: Desk, look: Look
    ) -> None:
        session = a_session(either_desk.account)
        await store(either_desk, Writes(entries=[an_entry(session, sequence) for sequence in range(1, 201)]))
        waiting = sorted(await look.rows("outbox", session_id=session.id), key=itemgetter("position"))
        assert [each["sequence"] for each in waiting] == list(range(1, 201))


async def row_of(look: Look, table: str, **where: object) -> dict[str, Any]:
    return (await look.rows(table, **where))[0]
