"""What may happen to a session itself: opened, talked in, closed."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared.contracts import commands, events
from shared.contracts.commands import Command
from shared.contracts.problems import ProblemCode
from shared.contracts.vocabulary import SessionStatus

from fix_outcomes.domain import views
from fix_outcomes.domain.model import ChatMessage, Fact, Fix, Session
from fix_outcomes.domain.refusals import Refused
from fix_outcomes.domain.steps import Decision, State, active, author, change, changed, entry


def create(command: Command, action: commands.CreateSession, *, at: datetime) -> Decision:
    """Open a session under the command's id."""
    if command.if_match is not None:
        raise Refused(
            ProblemCode.VERSION_CONFLICT, f"There is no session yet that could be at {command.if_match}."
        )
    session = Session(
        id=command.command_id,
        account_id=command.account_id,
        title=action.title,
        status=SessionStatus.ACTIVE,
        session_type=action.session_type,
        intake_type=action.intake_type,
        intake_text=action.intake_content.text,
        ticket=action.ticket,
        state_version=1,
        sequence=1,
        created_by=author(command),
        created_at=at,
        updated_at=at,
    )
    data = events.SessionCreated(**change(command, session), title=action.title, ticket=action.ticket)
    step = entry(command, session, "session.created", data, at)
    return Decision(status=201, body=views.session(session), session=session, entry=step)


def add_message(state: State, command: Command, action: commands.AddMessage, at: datetime) -> Decision:
    session = changed(active(state), at)
    message = ChatMessage(
        id=command.command_id,
        account_id=session.account_id,
        session_id=session.id,
        sequence=session.sequence,
        role=action.role,
        content=action.content,
        author=author(command),
        created_at=at,
    )
    data = events.MessageAdded(
        **change(command, session), message_id=message.id, role=message.role, author=message.author
    )
    step = entry(command, session, "session.message_added", data, at)
    return Decision(status=201, body=views.message(message), session=session, message=message, entry=step)


def confirm_fact(state: State, command: Command, action: commands.ConfirmFact, at: datetime) -> Decision:
    session = changed(active(state), at)
    fact = Fact(
        id=command.command_id,
        account_id=session.account_id,
        session_id=session.id,
        sequence=session.sequence,
        text=action.text,
        visibility=action.visibility,
        author=author(command),
        created_at=at,
    )
    data = events.FactConfirmed(**change(command, session), fact_id=fact.id, visibility=fact.visibility)
    step = entry(command, session, "session.fact_confirmed", data, at)
    return Decision(status=201, body=views.fact(fact), session=session, fact=fact, entry=step)


def resolve(state: State, command: Command, _action: commands.ResolveSession, at: datetime) -> Decision:
    needing = tuple(fix for fix in state.fixes.values() if fix.without_verdict or fix.parked)
    return _close(state, command, status=SessionStatus.RESOLVED, needing=needing, at=at)


def escalate(state: State, command: Command, _action: commands.EscalateSession, at: datetime) -> Decision:
    needing = tuple(fix for fix in state.fixes.values() if fix.without_verdict)
    parked = tuple(fix.id for fix in state.fixes.values() if fix.parked)
    return _close(state, command, status=SessionStatus.ESCALATED, needing=needing, parked=parked, at=at)


def _close(
    state: State,
    command: Command,
    *,
    status: SessionStatus,
    needing: tuple[Fix, ...],
    parked: tuple[UUID, ...] = (),
    at: datetime,
) -> Decision:
    before = active(state)
    if needing:
        raise Refused(
            ProblemCode.FIX_NEEDS_OUTCOME,
            "Record what came of these fixes first.",
            fixes=[views.fix(fix, before) for fix in needing],
            current=views.session(before),
        )
    session = replace(changed(before, at), status=status)
    data = events.SessionClosed(
        **change(command, session), **{"from": before.status}, to=status, pending_verification=parked
    )
    step = entry(command, session, f"session.{status}", data, at, from_status=before.status, to=status)
    return Decision(status=200, body=views.session(session), session=session, entry=step)
