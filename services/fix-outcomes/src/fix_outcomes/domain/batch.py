"""Many commands at once: each is decided on what the ones before it left, and each has its own fate.

Pure like a single decision: what the database knows goes in; the answers and what is to be written come out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.contracts.answers import Answer
from shared.contracts.commands import Command, CreateSession, FixAction, SessionAction
from shared.contracts.problems import ProblemCode
from shared.contracts.vocabulary import ALLOWED_ROLES

from fix_outcomes.domain import sessions
from fix_outcomes.domain.decide import decide
from fix_outcomes.domain.model import ChatMessage, Entry, Fact, Fix, Session
from fix_outcomes.domain.refusals import Refused, done_long_ago, key_reused, not_found
from fix_outcomes.domain.steps import Decision, State

_TICK = timedelta(microseconds=1)
"""A session's time runs forwards, whatever the replicas' clocks say: its fixes are ordered by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """What the command log holds of a command: the first answer to it."""

    command_id: UUID
    account_id: UUID
    fingerprint: str
    status: int
    answer: Mapping[str, Any]
    accepted_at: datetime
    decided_at: datetime


@dataclass(slots=True, kw_only=True)
class Known:
    """What is known of the sessions, fixes and commands that a batch names. Decisions move it on.

    `log` and `entered` are by account and command: nobody is answered with what another account was told.
    `entered` is of the journal, which is for ever: the log forgets.
    """

    sessions: dict[UUID, Session] = field(default_factory=dict)
    fixes: dict[UUID, dict[UUID, Fix]] = field(default_factory=dict)
    log: dict[tuple[UUID, UUID], Logged] = field(default_factory=dict)
    entered: set[tuple[UUID, UUID]] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Writes:
    """What a batch changes, each row once and in its last state; entries in the order of their sequences."""

    created_sessions: dict[UUID, Session] = field(default_factory=dict)
    changed_sessions: dict[UUID, Session] = field(default_factory=dict)
    created_fixes: dict[UUID, Fix] = field(default_factory=dict)
    changed_fixes: dict[UUID, Fix] = field(default_factory=dict)
    messages: list[ChatMessage] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    log: list[Logged] = field(default_factory=list)


def decide_batch(known: Known, batch: Iterable[Command], *, at: datetime) -> tuple[list[Answer], Writes]:
    """The answer to each command in turn, and all that is to be written."""
    writes = Writes()
    return [_answer(known, command, writes, at) for command in batch], writes


def _answer(known: Known, command: Command, writes: Writes, at: datetime) -> Answer:
    named = command.account_id, command.command_id
    logged = known.log.get(named)
    if logged is None and named in known.entered:
        refusal = done_long_ago()  # not logged: what was accepted stays so
        return Answer(ref=command.ref, status=refusal.status, body=dict(refusal.body))
    if logged is not None and logged.fingerprint == command.fingerprint:
        return Answer(ref=command.ref, status=logged.status, body=dict(logged.answer), replayed=True)
    try:
        decision = _decide(known, command, reused=logged is not None, at=at)
    except Refused as refusal:
        status, body = refusal.status, refusal.body
    else:
        status, body = decision.status, decision.body
        _move_on(known, decision, writes)
    if logged is None:
        first = _first_answer(command, status=status, body=body, at=at)
        known.log[named] = first
        writes.log.append(first)
    return Answer(ref=command.ref, status=status, body=dict(body))


def _decide(known: Known, command: Command, *, reused: bool, at: datetime) -> Decision:
    action = command.action
    if command.actor.role not in ALLOWED_ROLES[action.kind]:
        raise Refused(ProblemCode.FORBIDDEN, f"The role {command.actor.role} may not do this.")
    if isinstance(action, CreateSession):
        _refuse_reuse(reused)
        return sessions.create(command, action, at=at)
    state = _state(known, command, action)
    _refuse_reuse(reused)
    return decide(state, command, at=max(at, state.session.updated_at + _TICK))


def _state(known: Known, command: Command, action: SessionAction | FixAction) -> State:
    session = known.sessions.get(action.session_id)
    if session is None or session.account_id != command.account_id:
        raise not_found()
    state = State(session=session, fixes=known.fixes.get(session.id, {}))
    if isinstance(action, FixAction):
        state.fix(action.fix_id)
    return state


def _refuse_reuse(reused: bool) -> None:
    if reused:
        raise key_reused()


def _move_on(known: Known, decision: Decision, writes: Writes) -> None:
    if decision.entry is None:
        return
    session = decision.session
    created = session.id not in known.sessions or session.id in writes.created_sessions
    (writes.created_sessions if created else writes.changed_sessions)[session.id] = session
    known.sessions[session.id] = session
    fixes = known.fixes.setdefault(session.id, {})
    for fix in decision.fixes:
        new = fix.id not in fixes or fix.id in writes.created_fixes
        (writes.created_fixes if new else writes.changed_fixes)[fix.id] = fix
        fixes[fix.id] = fix
    if decision.message:
        writes.messages.append(decision.message)
    if decision.fact:
        writes.facts.append(decision.fact)
    writes.entries.append(decision.entry)


def _first_answer(command: Command, *, status: int, body: Mapping[str, Any], at: datetime) -> Logged:
    return Logged(
        command_id=command.command_id,
        account_id=command.account_id,
        fingerprint=command.fingerprint,
        status=status,
        answer=body,
        accepted_at=command.issued_at,
        decided_at=at,
    )
