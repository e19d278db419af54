"""What happened, told to everyone: CloudEvents 1.0 in structured JSON on the topic exchange `rf.events`."""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.text import Message
from shared.contracts.views import Actor, Author, Ticket
from shared.contracts.vocabulary import (
    FixStatus,
    Generator,
    MessageRole,
    NoteKind,
    ProposedOutcome,
    SessionStatus,
    Visibility,
)

CONTENT_TYPE = "application/cloudevents+json"


class Change(Message):
    """What every event of an accepted change carries. `state_version` is the session's, after the change."""

    account_id: UUID
    session_id: UUID
    command_id: UUID
    state_version: int
    actor: Actor


class SessionCreated(Change):
    """A session was opened."""

    title: str | None = None
    ticket: Ticket | None = None


class MessageAdded(Change):
    """A message was added; its text is read through the API."""

    message_id: UUID
    role: MessageRole
    author: Author


class FactConfirmed(Change):
    """A fact was confirmed; its text is read through the API."""

    fact_id: UUID
    visibility: Visibility


class FixSuggested(Change):
    """A fix was suggested. `supersedes` names those that it replaced."""

    fix_id: UUID
    title: str
    confidence_pct: int
    supersedes: tuple[UUID, ...] = ()


class FixApplied(Change):
    """The engineer ran the fix; there is no verdict yet."""

    fix_id: UUID
    applied_at: AwareDatetime


class OutcomeRecorded(Change):
    """An outcome was recorded: the fix's state after it, and the notes that came with it."""

    fix_id: UUID
    from_: FixStatus = Field(alias="from")
    to: FixStatus
    notes: str | None = None
    pending_reason: str | None = None
    partial_notes: str | None = None
    failure_reason: str | None = None
    applied_at: AwareDatetime | None = None
    verified_at: AwareDatetime | None = None
    cleared_proposal: bool = False


class OutcomeProposed(Change):
    """The AI guessed an outcome. The fix's status is what it was."""

    fix_id: UUID
    outcome: ProposedOutcome
    reason: str
    confidence_pct: int | None = None


class ProposalCleared(Change):
    """The AI's guess was rejected or withdrawn."""

    fix_id: UUID


class SessionClosed(Change):
    """The session was resolved or escalated. `pending_verification` names the parked fixes that went along."""

    from_: SessionStatus = Field(alias="from")
    to: SessionStatus
    pending_verification: tuple[UUID, ...] = ()


class NoteRegenerated(Message):
    """A document was written. No change of the record: no journal row, no sequence."""

    account_id: UUID
    session_id: UUID
    kind: NoteKind
    state_version: int
    generator: Generator
    degraded: bool = False


DATA: Mapping[str, type[Message]] = {
    "session.created": SessionCreated,
    "session.message_added": MessageAdded,
    "session.fact_confirmed": FactConfirmed,
    "session.resolved": SessionClosed,
    "session.escalated": SessionClosed,
    "fix.suggested": FixSuggested,
    "fix.applied": FixApplied,
    "fix.outcome_recorded": OutcomeRecorded,
    "fix.outcome_proposed": OutcomeProposed,
    "fix.outcome_proposal_cleared": ProposalCleared,
    "note.regenerated": NoteRegenerated,
}
"""Every event by the last two words of its routing key, with the model of its data."""


class CloudEvent(Message):
    """The envelope. `sequence` is the session's, zero-padded to 20 digits; `note.regenerated` has none."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str = Field(pattern=r"^com\.resolutionflow\.[a-z_]+\.[a-z_]+\.v1$")
    subject: str | None = None
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    sequence: str | None = Field(default=None, pattern=r"^\d{20}$")
    data: dict[str, Any]


def type_of(name: str) -> str:
    """`fix.applied` → `com.resolutionflow.fix.applied.v1`."""
    return f"com.resolutionflow.{name}.v1"


def name_of(event_type: str) -> str:
    """`com.resolutionflow.fix.applied.v1` → `fix.applied`."""
    return event_type.removeprefix("com.resolutionflow.").removesuffix(".v1")


def source_of(account_id: UUID, session_id: UUID) -> str:
    """The CloudEvents source: the session that the event is about."""
    return f"/accounts/{account_id}/ai-sessions/{session_id}"


def routing_key(account_id: UUID, session_id: UUID, name: str) -> str:
    """`<account>.<session>.<noun>.<verb>`; a PSA tool may bind only what begins with its account."""
    return f"{account_id}.{session_id}.{name}"


class StateChange(Message):
    """A session's notes may have to be written anew."""

    account_id: UUID
    session_id: UUID
    state_version: int


class StateChanges(Message):
    """What note-generator is woken by: one message for all that the relay published at once."""

    version: Literal[1] = 1
    changes: tuple[StateChange, ...] = Field(min_length=1)
