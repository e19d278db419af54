"""A session, its fixes and the entries of its journal, as values that never change."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.events import Change
from shared.contracts.views import Actor, Author, OutcomeProposal, Ticket
from shared.contracts.vocabulary import (
    PARKED,
    TERMINAL,
    FixStatus,
    MessageRole,
    SessionStatus,
    Visibility,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A troubleshooting conversation. `sequence` counts its changes, `state_version` those a note shows."""

    id: UUID
    account_id: UUID
    title: str | None
    status: SessionStatus
    session_type: str
    intake_type: str
    intake_text: str
    ticket: Ticket | None
    state_version: int
    sequence: int
    created_by: Author
    created_at: datetime
    updated_at: datetime

    @property
    def active(self) -> bool:
        return self.status is SessionStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A suggested fix and what was recorded about it."""

    id: UUID
    account_id: UUID
    session_id: UUID
    title: str
    description: str
    confidence_pct: int
    status: FixStatus
    applied_at: datetime | None
    verified_at: datetime | None
    partial_notes: str | None
    pending_reason: str | None
    failure_reason: str | None
    ai_outcome_proposal: OutcomeProposal | None
    superseded_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def superseded(self) -> bool:
        return self.superseded_at is not None

    @property
    def parked(self) -> bool:
        return self.status in PARKED

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def replaceable(self) -> bool:
        """A newer suggestion takes its place. A running verification stays answerable."""
        return self.status is FixStatus.PROPOSED and not self.superseded

    @property
    def without_verdict(self) -> bool:
        """The engineer ran it and has not said what came of it."""
        return self.replaceable and self.applied_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """A message of the conversation; `sequence` is its place among the session's changes."""

    id: UUID
    account_id: UUID
    session_id: UUID
    sequence: int
    role: MessageRole
    content: str
    author: Author
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something the engineer confirmed."""

    id: UUID
    account_id: UUID
    session_id: UUID
    sequence: int
    text: str
    visibility: Visibility
    author: Author
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One accepted change: what a person reads in the history, and what the relay publishes."""

    session_id: UUID
    sequence: int
    account_id: UUID
    state_version: int
    kind: str
    fix_id: UUID | None
    from_status: str | None
    to_status: str | None
    notes: str | None
    actor: Actor
    at: datetime
    command_id: UUID
    data: Change
    traceparent: str | None = None
