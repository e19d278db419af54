"""What happened, told to everyone: CloudEvents 1.0 in structured JSON on the topic exchange `rf.events`."""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.text import AccountId, FixId, Message, SessionId, Traceparent, Version
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

    account_id: AccountId
    session_id: SessionId
    command_id: UUID = Field(description="The command that was accepted; the history names it too")
    state_version: int = Field(description="The session's, after the change; every note is made from one")
    actor: Actor


class SessionCreated(Change):
    """A session was opened."""

    title: str | None = Field(default=None, description="The session's title, if it has one")
    ticket: Ticket | None = None


class MessageAdded(Change):
    """A message was added; its text is read through the API."""

    message_id: UUID = Field(description="The message")
    role: MessageRole
    author: Author


class FactConfirmed(Change):
    """A fact was confirmed; its text is read through the API."""

    fact_id: UUID = Field(description="The fact")
    visibility: Visibility


class FixSuggested(Change):
    """A fix was suggested."""

    fix_id: FixId
    title: str = Field(description="The fix's title")
    confidence_pct: int = Field(description="How sure the AI is, 0 to 100")
    supersedes: tuple[UUID, ...] = Field(default=(), description="The fixes that it replaces")


class FixApplied(Change):
    """The engineer ran the fix; there is no verdict yet."""

    fix_id: FixId
    applied_at: AwareDatetime = Field(description="When it was applied, by the server's clock")


class OutcomeRecorded(Change):
    """An outcome was recorded: the fix's state after it, and the notes that came with it."""

    fix_id: FixId
    from_: FixStatus = Field(alias="from", description="The fix's status before")
    to: FixStatus = Field(description="The fix's status now")
    notes: str | None = Field(default=None, description="The words that came with this outcome")
    pending_reason: str | None = Field(default=None, description="What was last being waited on")
    partial_notes: str | None = Field(default=None, description="What was last said about a part")
    failure_reason: str | None = Field(default=None, description="Why it did not work")
    applied_at: AwareDatetime | None = Field(default=None, description="When it was first applied")
    verified_at: AwareDatetime | None = Field(default=None, description="When success or failure was found")
    cleared_proposal: bool = Field(default=False, description="Whether this ended a guess of the AI")


class OutcomeProposed(Change):
    """The AI guessed an outcome. The fix's status is what it was."""

    fix_id: FixId
    outcome: ProposedOutcome = Field(description="The guess")
    reason: str = Field(description="Why the AI thinks so")
    confidence_pct: int | None = Field(default=None, description="How sure it is, 0 to 100")


class ProposalCleared(Change):
    """The AI's guess was rejected or withdrawn."""

    fix_id: FixId


class SessionClosed(Change):
    """The session was resolved or escalated."""

    from_: SessionStatus = Field(alias="from", description="The session's status before")
    to: SessionStatus = Field(description="The session's status now")
    pending_verification: tuple[UUID, ...] = Field(
        default=(), description="The parked fixes that went along; their outcomes may still be recorded"
    )


class NoteRegenerated(Message):
    """A document was written. No change of the record: no journal row, no sequence."""

    account_id: AccountId
    session_id: SessionId
    kind: NoteKind
    state_version: int = Field(description="What it was made of")
    generator: Generator
    degraded: bool = Field(default=False, description="Whether a language model was wanted and not had")


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
    """The envelope of every event."""

    specversion: Literal["1.0"] = Field(default="1.0", description="The version of CloudEvents")
    id: str = Field(
        description="`<session>/<sequence>`, of `note.regenerated` `<session>/<kind>/<state_version>`: "
        "the same when an event comes again, and no other event's"
    )
    source: str = Field(description="`/accounts/<account>/ai-sessions/<session>`")
    type: str = Field(
        pattern=r"^com\.resolutionflow\.[a-z_]+\.[a-z_]+\.v1$", description="What happened, with a version"
    )
    subject: str | None = Field(
        default=None, description="`suggested-fixes/<fix>`; absent where it is not about one fix"
    )
    time: AwareDatetime = Field(description="When it was accepted, by the server's clock")
    datacontenttype: Literal["application/json"] = Field(
        default="application/json", description="What `data` is"
    )
    sequence: str | None = Field(
        default=None,
        pattern=r"^\d{20}$",
        description="The session's sequence, padded with zeros so that text sorts like numbers; "
        "`note.regenerated` has none",
    )
    data: dict[str, Any] = Field(description="By type: see below")


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

    account_id: AccountId
    session_id: SessionId
    state_version: int = Field(description="The newest that is known of")
    traceparent: Traceparent = None


class StateChanges(Message):
    """What note-generator is woken by: one message for all that the relay published at once."""

    version: Version = 1
    changes: tuple[StateChange, ...] = Field(min_length=1, description="At most one of a session")
