"""The record in memory, refusing what the database would refuse; and commands to fill it with."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fix_outcomes.domain.batch import Known, Logged, Writes, decide_batch
from fix_outcomes.domain.model import ChatMessage, Entry, Fact, Fix, Session
from shared.contracts.answers import Answer
from shared.contracts.commands import (
    Action,
    AddMessage,
    ApplyFix,
    ClearProposal,
    Command,
    ConfirmFact,
    CreateSession,
    EscalateSession,
    FixAction,
    ProposeOutcome,
    RecordOutcome,
    ResolveSession,
    SuggestFix,
)
from shared.contracts.views import Actor, Evidence, IntakeContent, OutcomeProposal, Ticket
from shared.contracts.vocabulary import MessageRole, Outcome, ProposedOutcome, Role
from shared.ids import new_id

ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000a")
OTHER_ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000b")
SAM = Actor(id=UUID("0192f000-0000-7000-8000-00000000000e"), name="Sam Okafor", role=Role.ENGINEER)
START = datetime(2026, 11, 2, 9, 30, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

OPEN = ("proposed", "applied_pending", "applied_partial")


def command(
    action: Action,
    *,
    account: UUID = ACCOUNT,
    command_id: UUID | None = None,
    role: Role = Role.ENGINEER,
    if_match: int | None = None,
    fingerprint: str = "first",
    ref: int = 1,
    issued_at: datetime = START,
) -> Command:
    """A command as the gateway makes it, by Sam."""
    return Command(
        ref=ref,
        command_id=command_id or new_id(),
        account_id=account,
        actor=SAM.model_copy(update={"role": role}),
        fingerprint=fingerprint,
        if_match=if_match,
        issued_at=issued_at,
        action=action,
    )


def create_session(**changes: Any) -> CreateSession:
    fields: dict[str, Any] = {
        "title": "No internet at reception",
        "intake_content": IntakeContent(text="Reception: all PCs offline since 8:40"),
        "ticket": Ticket(system="halopsa", id="48213", url="https://psa.example/48213"),
    }
    return CreateSession(**fields | changes)


def add_message(session_id: UUID, content: str = "Router rebooted?") -> AddMessage:
    return AddMessage(session_id=session_id, role=MessageRole.CLIENT, content=content)


def confirm_fact(session_id: UUID, text: str = "WAN light is off") -> ConfirmFact:
    return ConfirmFact(session_id=session_id, text=text)


def suggest_fix(session_id: UUID, title: str = "Update the router's firmware") -> SuggestFix:
    return SuggestFix(
        session_id=session_id, title=title, description="To 3.2.1, then once", confidence_pct=80
    )


def outcome_of(session_id: UUID, fix_id: UUID, outcome: str, notes: str | None = None) -> RecordOutcome:
    """Recording an outcome; with words where it needs some and none are given."""
    if notes is None and outcome in {"applied_pending", "applied_partial"}:
        notes = f"why it is {outcome}"
    return RecordOutcome(session_id=session_id, fix_id=fix_id, outcome=Outcome(outcome), notes=notes)


def proposal(outcome: str = "success", reason: str = "Client: internet is back") -> OutcomeProposal:
    return OutcomeProposal(
        outcome=ProposedOutcome(outcome),
        reason=reason,
        confidence_pct=70,
        evidence=(Evidence(message_id=SAM.id, quote="it's back"),),
    )


class Record:
    """What `Writes` make of an empty database, one transaction after another, a minute apart."""

    def __init__(self) -> None:
        self.now = START
        self.sessions: dict[UUID, Session] = {}
        self.fixes: dict[UUID, Fix] = {}
        self.messages: dict[UUID, ChatMessage] = {}
        self.facts: dict[UUID, Fact] = {}
        self.journal: dict[tuple[UUID, int], Entry] = {}
        self.log: dict[UUID, Logged] = {}

    # What a test asks for, in one line each.

    def ask(self, action: Action, **of_command: Any) -> Answer:
        """The answer to one command, in a transaction of its own."""
        return self.send(command(action, **of_command))

    def send(self, one: Command) -> Answer:
        [answer] = self.transact([one])[0]
        return answer

    def transact(self, batch: Sequence[Command]) -> tuple[list[Answer], Writes]:
        """One transaction: what is known of the batch, the decisions, the writes. The clock moves on."""
        self.now += MINUTE
        answers, writes = decide_batch(self.known(batch), batch, at=self.now)
        self.write(writes)
        return answers, writes

    def open_session(self, **of_command: Any) -> UUID:
        return UUID(self.ask(create_session(), **of_command).body["id"])

    def suggest(self, session_id: UUID, **of_command: Any) -> UUID:
        return UUID(self.ask(suggest_fix(session_id), **of_command).body["id"])

    def open_fix(self) -> UUID:
        """A fix just suggested, in a session of its own."""
        return self.suggest(self.open_session())

    def fix_in(self, status: str) -> UUID:
        """A fix in this status, in an active session of its own."""
        fix_id = self.open_fix()
        if status != "proposed":
            self.outcome(fix_id, status)
        return fix_id

    def outcome(self, fix_id: UUID, outcome: str, notes: str | None = None, **of_command: Any) -> Answer:
        return self.ask(outcome_of(self.fixes[fix_id].session_id, fix_id, outcome, notes), **of_command)

    def apply(self, fix_id: UUID, **of_command: Any) -> Answer:
        return self.ask(ApplyFix(session_id=self.fixes[fix_id].session_id, fix_id=fix_id), **of_command)

    def propose(self, fix_id: UUID, guess: OutcomeProposal | None = None, **of_command: Any) -> Answer:
        session_id = self.fixes[fix_id].session_id
        return self.ask(
            ProposeOutcome(session_id=session_id, fix_id=fix_id, proposal=guess or proposal()), **of_command
        )

    def clear(self, fix_id: UUID, **of_command: Any) -> Answer:
        return self.ask(ClearProposal(session_id=self.fixes[fix_id].session_id, fix_id=fix_id), **of_command)

    def resolve(self, session_id: UUID, **of_command: Any) -> Answer:
        return self.ask(ResolveSession(session_id=session_id), **of_command)

    def escalate(self, session_id: UUID, **of_command: Any) -> Answer:
        return self.ask(EscalateSession(session_id=session_id), **of_command)

    # What a test looks at.

    def session_of(self, fix_id: UUID) -> Session:
        return self.sessions[self.fixes[fix_id].session_id]

    def versions(self, fix_id: UUID) -> tuple[int, int]:
        """The state_version and the sequence of the fix's session."""
        session = self.session_of(fix_id)
        return session.state_version, session.sequence

    def sequences(self) -> dict[UUID, int]:
        """The sequence of every session."""
        return {session.id: session.sequence for session in self.sessions.values()}

    def history(self, session_id: UUID) -> list[Entry]:
        return [entry for key, entry in sorted(self.journal.items()) if key[0] == session_id]

    def last_entry(self) -> Entry:
        return list(self.journal.values())[-1]

    def snapshot(self) -> tuple[Mapping[Any, Any], ...]:
        """All state but the command log, to compare before and after."""
        return tuple(
            dict(table) for table in (self.sessions, self.fixes, self.messages, self.facts, self.journal)
        )

    # The database's part.

    def known(self, batch: Iterable[Command]) -> Known:
        """What `read_known` reads for this batch, and no more than that."""
        batch = tuple(batch)
        accounts = {each.account_id for each in batch}
        named = {each.action.session_id for each in batch if not isinstance(each.action, CreateSession)}
        wanted = {each.action.fix_id for each in batch if isinstance(each.action, FixAction)}
        known = Known()
        for session in self.sessions.values():
            if session.id in named and session.account_id in accounts:
                known.sessions[session.id] = session
        for fix in sorted(self.fixes.values(), key=lambda fix: (fix.created_at, fix.id)):
            is_open = fix.superseded_at is None and fix.status in OPEN
            if fix.session_id in known.sessions and (fix.id in wanted or is_open):
                known.fixes.setdefault(fix.session_id, {})[fix.id] = fix
        for each in batch:
            logged = self.log.get(each.command_id)
            if logged and logged.account_id in accounts:
                known.log[logged.account_id, each.command_id] = logged
        ids = {each.command_id for each in batch}
        known.entered = {
            (entry.account_id, entry.command_id)
            for entry in self.journal.values()
            if entry.account_id in accounts and entry.command_id in ids
        }
        return known

    def write(self, writes: Writes) -> None:
        """Keeps the rows, as the tables' constraints would allow it."""
        entered = {entry.command_id for entry in self.journal.values()}
        assert entered.isdisjoint(entry.command_id for entry in writes.entries)
        assert len({entry.command_id for entry in writes.entries}) == len(writes.entries)
        _insert(self.sessions, writes.created_sessions)
        _update(self.sessions, writes.changed_sessions)
        _insert(self.fixes, writes.created_fixes)
        _update(self.fixes, writes.changed_fixes)
        _insert(self.messages, _by_id(writes.messages))
        _insert(self.facts, _by_id(writes.facts))
        _insert(self.journal, {(entry.session_id, entry.sequence): entry for entry in writes.entries})
        _insert(self.log, {logged.command_id: logged for logged in writes.log})
        assert len({logged.command_id for logged in writes.log}) == len(writes.log)
        for fix in (*writes.created_fixes.values(), *writes.changed_fixes.values()):
            assert self.sessions[fix.session_id].account_id == fix.account_id
            _check(fix)


def _by_id(rows: Sequence[Any]) -> dict[UUID, Any]:
    assert len({row.id for row in rows}) == len(rows)
    return {row.id: row for row in rows}


def _insert(table: dict[Any, Any], rows: Mapping[Any, Any]) -> None:
    assert table.keys().isdisjoint(rows), "a row is there already"
    table.update(rows)


def _update(table: dict[Any, Any], rows: Mapping[Any, Any]) -> None:
    for key, row in rows.items():
        assert (table[key].id, table[key].account_id) == (row.id, row.account_id)
    table.update(rows)


def _check(fix: Fix) -> None:
    verdict = fix.status in {"applied_success", "applied_failed"}
    assert fix.status != "applied_pending" or fix.pending_reason
    assert fix.status != "applied_partial" or fix.partial_notes
    assert fix.status in {"proposed", "dismissed"} or fix.applied_at
    assert (fix.verified_at is not None) == verdict
