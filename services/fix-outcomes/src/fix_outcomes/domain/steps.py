"""One step of a session: the state before it, the decision after it, and what both are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.contracts import events
from shared.contracts.commands import Action, Command, FixAction
from shared.contracts.problems import ProblemCode
from shared.contracts.text import sampled
from shared.contracts.views import Author
from shared.contracts.vocabulary import FixStatus, SessionStatus

from fix_outcomes.domain import views
from fix_outcomes.domain.model import ChatMessage, Entry, Fact, Fix, Session
from fix_outcomes.domain.refusals import Refused, not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A session and those of its fixes that the command may concern, by id."""

    session: Session
    fixes: Mapping[UUID, Fix]

    def fix(self, fix_id: UUID) -> Fix:
        """The fix, or `Refused` as not found."""
        found = self.fixes.get(fix_id)
        if found is None:
            raise not_found()
        return found

    def shown(self, action: Action) -> Mapping[str, Any]:
        """What the action is about, as a refusal shows it: the fix if it names one, else the session."""
        if isinstance(action, FixAction):
            return views.fix(self.fix(action.fix_id), self.session)
        return views.session(self.session)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is answered and what is written. Without an entry nothing changed: it was so already."""

    status: int
    body: Mapping[str, Any]
    session: Session
    fixes: tuple[Fix, ...] = ()
    message: ChatMessage | None = None
    fact: Fact | None = None
    entry: Entry | None = None


def active(state: State, fix: Fix | None = None) -> Session:
    """The session, if it still takes changes; else `Refused`, showing the fix that was to change."""
    if not state.session.active:
        raise closed(state, fix)
    return state.session


def closed(state: State, fix: Fix | None) -> Refused:
    """The refusal of a change on a session that is resolved or escalated."""
    detail = f"The session is {state.session.status}."
    current = views.fix(fix, state.session) if fix else views.session(state.session)
    return Refused(ProblemCode.SESSION_CLOSED, detail, current=current)


def changed(session: Session, at: datetime, *, note: bool = True) -> Session:
    """One change later. `note`: a note shows it."""
    return replace(
        session,
        sequence=session.sequence + 1,
        state_version=session.state_version + (1 if note else 0),
        updated_at=at,
    )


def entry(
    command: Command,
    session: Session,
    kind: str,
    data: events.Change,
    at: datetime,
    *,
    fix: Fix | None = None,
    from_status: FixStatus | SessionStatus | None = None,
    to: FixStatus | SessionStatus | None = None,
    notes: str | None = None,
) -> Entry:
    """The journal's entry of this step; `session` is the session after it."""
    return Entry(
        session_id=session.id,
        sequence=session.sequence,
        account_id=session.account_id,
        state_version=session.state_version,
        kind=kind,
        fix_id=fix.id if fix else None,
        from_status=from_status,
        to_status=to,
        notes=notes,
        actor=command.actor,
        at=at,
        command_id=command.command_id,
        data=data,
        traceparent=command.traceparent if sampled(command.traceparent) else None,
    )


def change(command: Command, session: Session) -> dict[str, Any]:
    """What the event of every change carries."""
    return {
        "account_id": session.account_id,
        "session_id": session.id,
        "command_id": command.command_id,
        "state_version": session.state_version,
        "actor": command.actor,
    }


def author(command: Command) -> Author:
    """The person who asked."""
    return Author(id=command.actor.id, name=command.actor.name)
