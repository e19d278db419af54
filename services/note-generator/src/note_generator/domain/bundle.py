"""All that a document is written from, and nothing else: one pure function from the snapshot.

Both writers see a session through this alone. Secrets are gone from it, the AI's guesses never were in it, and its
size is bounded however long the conversation gets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.contracts.views import Fix, HistoryEntry, Snapshot
from shared.contracts.vocabulary import PARKED, TERMINAL, FixStatus, NoteKind, SessionStatus, Visibility

from note_generator.domain.conversation import Conversation, condensed
from note_generator.domain.secrets import Secrets

_SEARCHED_CHARACTERS: Final = 250_000


class Standing(StrEnum):
    """What may be claimed about a fix: its status, and for a proposed one whether it was applied."""

    PROPOSED = "proposed"
    SUPERSEDED = "superseded"
    UNJUDGED = "applied, no outcome recorded yet"
    UNJUDGED_SUPERSEDED = "applied, replaced before an outcome was recorded"
    PENDING = "applied_pending"
    PARTIAL = "applied_partial"
    SUCCESS = "applied_success"
    FAILED = "applied_failed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded outcome of a fix: when, by whom, what, and the words that came with it."""

    at: datetime
    by: str | None
    outcome: FixStatus
    notes: str | None
    sequence: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A fix, and what became of it. `recorded` are the words of its present outcome."""

    id: UUID
    title: str
    description: str
    confidence_pct: int
    status: FixStatus
    standing: Standing
    suggested_at: datetime
    applied_at: datetime | None
    verified_at: datetime | None
    pending_reason: str | None
    partial_notes: str | None
    failure_reason: str | None
    recorded: str | None
    steps: tuple[Step, ...]

    @property
    def was_applied(self) -> bool:
        """Whether anything of it was done at all."""
        return self.applied_at is not None

    @property
    def earlier_words(self) -> tuple[str, ...]:
        """What was recorded on the way to the present outcome, oldest first, each once."""
        columns = (self.pending_reason, self.partial_notes, self.failure_reason)
        words = dict.fromkeys([step.notes for step in self.steps] + list(columns))
        return tuple(text for text in words if text and text != self.recorded)


@dataclass(frozen=True, slots=True)
class ConfirmedFact:
    """Something that is known. `internal` is for colleagues only."""

    id: UUID
    text: str
    internal: bool


@dataclass(frozen=True, slots=True)
class Bundle:
    """A session as one document's writer may see it. `attempts` are all fixes but the subject, oldest first."""

    session_id: UUID
    state_version: int
    kind: NoteKind
    status: SessionStatus
    title: str | None
    ticket: str | None
    ticket_url: str | None
    opened_at: datetime
    opened_by: str | None
    intake: str
    facts: tuple[ConfirmedFact, ...]
    conversation: Conversation
    subject: Attempt | None
    attempts: tuple[Attempt, ...]

    @property
    def outcome_status(self) -> str:
        """The line that states the record."""
        return f"Outcome status: {self.subject.status if self.subject else 'no fix suggested'}"

    @property
    def standing(self) -> Standing | None:
        """What may be claimed about the subject; None without one."""
        return self.subject.standing if self.subject else None


def bundle(snapshot: Snapshot, kind: NoteKind) -> Bundle:
    """What the document of this kind is written from."""
    secrets = Secrets.found_in(_texts(snapshot))
    session, subject = snapshot.session, subject_of(snapshot.fixes, snapshot.transitions)
    internal_too = kind is NoteKind.ESCALATION_PACKAGE
    return Bundle(
        session_id=session.id,
        state_version=session.state_version,
        kind=kind,
        status=session.status,
        # A title is the helpdesk's shorthand: for colleagues, not for the client.
        title=secrets.removed(session.title) if session.title and internal_too else None,
        ticket=f"{session.ticket.system} {secrets.removed(session.ticket.id)}" if session.ticket else None,
        ticket_url=secrets.removed(session.ticket.url) if session.ticket and session.ticket.url else None,
        opened_at=session.created_at,
        opened_by=session.created_by.name,
        intake=secrets.removed(session.intake_content.text),
        facts=tuple(
            ConfirmedFact(fact.id, secrets.removed(fact.text), fact.visibility is Visibility.INTERNAL)
            for fact in snapshot.facts
            if internal_too or fact.visibility is Visibility.CLIENT
        ),
        conversation=condensed(snapshot.messages, snapshot.message_count, clean=secrets.removed),
        subject=_attempt(subject, snapshot.transitions, secrets) if subject else None,
        attempts=tuple(
            _attempt(fix, snapshot.transitions, secrets)
            for fix in sorted(snapshot.fixes, key=_age)
            if subject is None or fix.id != subject.id
        ),
    )


def subject_of(fixes: Sequence[Fix], transitions: Sequence[HistoryEntry]) -> Fix | None:
    """The fix that a note is about (product.md, "active fix")."""
    standing = [fix for fix in sorted(fixes, key=_age) if fix.superseded_at is None]
    unsettled = [fix for fix in standing if fix.status in PARKED or _unjudged(fix)]
    if unsettled:
        return unsettled[-1]
    settled = [fix for fix in standing if fix.status in TERMINAL]
    if settled:
        return max(settled, key=lambda fix: (_last_recorded(fix, transitions), _age(fix)))
    return standing[-1] if standing else None


def _age(fix: Fix) -> tuple[datetime, UUID]:
    return fix.created_at, fix.id


def _unjudged(fix: Fix) -> bool:
    return fix.status is FixStatus.PROPOSED and fix.applied_at is not None


def _last_recorded(fix: Fix, transitions: Sequence[HistoryEntry]) -> tuple[int, datetime]:
    """The history may be cut to its newest entries: a fix that is not in it was settled before those that are."""
    sequences = [entry.sequence for entry in transitions if entry.fix_id == fix.id and entry.to == fix.status]
    return max(sequences, default=0), fix.verified_at or fix.updated_at


def _standing(fix: Fix) -> Standing:
    if fix.status is not FixStatus.PROPOSED:
        return Standing(fix.status)
    if fix.superseded_at is not None:
        return Standing.UNJUDGED_SUPERSEDED if fix.applied_at else Standing.SUPERSEDED
    return Standing.UNJUDGED if fix.applied_at else Standing.PROPOSED


def _attempt(fix: Fix, transitions: Sequence[HistoryEntry], secrets: Secrets) -> Attempt:
    def clean(text: str | None) -> str | None:
        return (secrets.removed(text).strip() or None) if text else None

    steps = _steps(fix, transitions, secrets)
    return Attempt(
        id=fix.id,
        title=secrets.removed(fix.title),
        description=secrets.removed(fix.description),
        confidence_pct=fix.confidence_pct,
        status=fix.status,
        standing=_standing(fix),
        suggested_at=fix.created_at,
        applied_at=fix.applied_at,
        verified_at=fix.verified_at,
        pending_reason=clean(fix.pending_reason),
        partial_notes=clean(fix.partial_notes),
        failure_reason=clean(fix.failure_reason),
        recorded=clean(_column(fix)) or _last_notes(steps, fix.status),
        steps=steps,
    )


def _column(fix: Fix) -> str | None:
    return {
        FixStatus.APPLIED_PENDING: fix.pending_reason,
        FixStatus.APPLIED_PARTIAL: fix.partial_notes,
        FixStatus.APPLIED_FAILED: fix.failure_reason,
    }.get(fix.status)


def _steps(fix: Fix, transitions: Sequence[HistoryEntry], secrets: Secrets) -> tuple[Step, ...]:
    return tuple(
        Step(
            at=entry.at,
            by=entry.actor.name,
            outcome=FixStatus(entry.to),
            notes=(secrets.removed(entry.notes).strip() or None) if entry.notes else None,
            sequence=entry.sequence,
        )
        for entry in sorted(transitions, key=lambda entry: entry.sequence)
        if entry.fix_id == fix.id and entry.to in PARKED | TERMINAL
    )


def _last_notes(steps: Sequence[Step], status: FixStatus) -> str | None:
    return next((step.notes for step in reversed(steps) if step.outcome is status), None)


def _texts(snapshot: Snapshot) -> list[str]:
    session = snapshot.session
    texts: list[str | None] = [session.title, session.intake_content.text]
    texts += _newest_within(_SEARCHED_CHARACTERS, [message.content for message in snapshot.messages])
    texts += [fact.text for fact in snapshot.facts]
    texts += [entry.notes for entry in snapshot.transitions]
    for fix in snapshot.fixes:
        texts += [fix.title, fix.description, fix.pending_reason, fix.partial_notes, fix.failure_reason]
    return [text for text in texts if text]


def _newest_within(characters: int, texts: Sequence[str]) -> list[str]:
    """Pasted logs must not keep this service from its work: what is too old to be shown is not searched."""
    found: list[str] = []
    for text in reversed(texts):
        characters -= len(text)
        if characters < 0:
            break
        found.append(text)
    return found
