"""How sessions, fixes and entries are shown in answers; the shapes are `shared.contracts.views`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.contracts import views
from shared.contracts.events import source_of, type_of
from shared.contracts.text import Message
from shared.contracts.views import IntakeContent
from shared.contracts.vocabulary import Outcome, SessionStatus

from fix_outcomes.domain.model import ChatMessage, Fact, Fix, Session
from fix_outcomes.domain.transitions import ALLOWED


def allowed_outcomes(shown: Fix, session: Session) -> tuple[Outcome, ...]:
    """What may be recorded next, so that no client copies the rules."""
    goes_on = session.active or (session.status is SessionStatus.ESCALATED and shown.parked)
    return ALLOWED[shown.status] if goes_on and not shown.superseded else ()


def fix(shown: Fix, session: Session) -> dict[str, Any]:
    """A fix as JSON: `shared.contracts.views.Fix`, written by hand, because every outcome is answered with one."""
    proposal = shown.ai_outcome_proposal
    return {
        "id": str(shown.id),
        "session_id": str(shown.session_id),
        "title": shown.title,
        "description": shown.description,
        "confidence_pct": shown.confidence_pct,
        "status": shown.status.value,
        "applied_at": time(shown.applied_at),
        "verified_at": time(shown.verified_at),
        "partial_notes": shown.partial_notes,
        "pending_reason": shown.pending_reason,
        "failure_reason": shown.failure_reason,
        "ai_outcome_proposal": None if proposal is None else _json(proposal),
        "superseded_at": time(shown.superseded_at),
        "created_at": time(shown.created_at),
        "updated_at": time(shown.updated_at),
        "state_version": session.state_version,
        "allowed_outcomes": [outcome.value for outcome in allowed_outcomes(shown, session)],
    }


def session(shown: Session, fixes: Iterable[Fix] | None = None) -> dict[str, Any]:
    """A session as JSON, with its fixes where they are given."""
    fields = _fields(shown) | {"intake_content": IntakeContent.model_construct(text=shown.intake_text)}
    if fixes is None:
        return _json(views.Session.model_construct(**fields))
    return _json(views.Session.model_construct(**fields)) | {"fixes": [fix(each, shown) for each in fixes]}


def message(shown: ChatMessage) -> dict[str, Any]:
    """A message as JSON."""
    return _json(views.ChatMessage.model_construct(**_fields(shown)))


def fact(shown: Fact) -> dict[str, Any]:
    """A fact as JSON."""
    return _json(views.Fact.model_construct(**_fields(shown)))


def event(
    *,
    account_id: UUID,
    session_id: UUID,
    sequence: int,
    kind: str,
    fix_id: UUID | None,
    at: datetime,
    data: object,
) -> dict[str, Any]:
    """The CloudEvent of a journal entry. Its id is stable, so that a repeat can be told from news."""
    return {
        "specversion": "1.0",
        "id": f"{session_id}/{sequence}",
        "source": source_of(account_id, session_id),
        "type": type_of(kind),
        **({"subject": f"suggested-fixes/{fix_id}"} if fix_id else {}),
        "time": time(at),
        "datacontenttype": "application/json",
        "sequence": f"{sequence:020}",
        "data": data,
    }


def time(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, as pydantic writes it."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _fields(shown: Session | ChatMessage | Fact) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in shown.__slots__}


def _json(model: Message) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True)
