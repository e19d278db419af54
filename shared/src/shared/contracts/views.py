"""What answers show: sessions, fixes and the rest, as product.md section 4 fixes them."""

from uuid import UUID

from pydantic import AwareDatetime, Field, JsonValue

from shared.contracts.text import Label, LongText, Message, ShortText, Title, Url
from shared.contracts.vocabulary import (
    FixStatus,
    Generator,
    MessageRole,
    NoteKind,
    Outcome,
    ProposedOutcome,
    Role,
    SessionStatus,
    Visibility,
)


class Actor(Message):
    """Who did it: the `sub`, `name` and `role` of the token."""

    id: UUID = Field(description="The user")
    name: str | None = Field(default=None, description="As people call them")
    role: Role


class Author(Message):
    """Who wrote a message or confirmed a fact."""

    id: UUID = Field(description="The user")
    name: str | None = Field(default=None, description="As people call them")


class Ticket(Message):
    """The ticket in the PSA tool that a session belongs to."""

    system: Label = Field(description="The PSA tool, such as `halopsa`")
    id: Label = Field(description="The ticket's number there")
    url: Url | None = Field(default=None, description="Where people open it")


class IntakeContent(Message):
    """What the client reported, as it came in."""

    text: LongText = Field(description="The words of the report")


class Evidence(Message):
    """The words of a message that the AI's proposal rests on."""

    message_id: UUID = Field(description="The message")
    quote: ShortText = Field(description="The words in it")


class OutcomeProposal(Message):
    """The AI's guess of an outcome. It changes nothing until a person records it."""

    outcome: ProposedOutcome
    reason: ShortText = Field(description="Why the AI thinks so")
    confidence_pct: int | None = Field(default=None, ge=0, le=100, description="How sure it is")
    evidence: tuple[Evidence, ...] = Field(default=(), max_length=50, description="What that rests on")


class Fix(Message):
    """A suggested fix. `state_version` is its session's; `allowed_outcomes` is what may be recorded next."""

    id: UUID
    session_id: UUID
    title: Title
    description: LongText
    confidence_pct: int
    status: FixStatus
    applied_at: AwareDatetime | None = None
    verified_at: AwareDatetime | None = None
    partial_notes: str | None = None
    pending_reason: str | None = None
    failure_reason: str | None = None
    ai_outcome_proposal: OutcomeProposal | None = None
    superseded_at: AwareDatetime | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    state_version: int
    allowed_outcomes: tuple[Outcome, ...]


class Session(Message):
    """A troubleshooting conversation, without its messages and fixes."""

    id: UUID
    title: str | None = None
    status: SessionStatus
    session_type: str
    intake_type: str
    intake_content: IntakeContent
    ticket: Ticket | None = None
    state_version: int
    sequence: int
    created_by: Author
    created_at: AwareDatetime
    updated_at: AwareDatetime


class SessionWithFixes(Session):
    """A session with all its fixes, oldest first."""

    fixes: tuple[Fix, ...] = ()


class PendingVerification(Message):
    """A parked fix that awaits a verdict: what is waited on, since when, and who parked it."""

    fix: Fix
    session: Session
    reason: str = Field(description="What was last said to be waited on, or to be done of it")
    since: AwareDatetime = Field(description="When it was parked; a new reason does not begin it anew")
    parked_by: Actor


class ChatMessage(Message):
    """One message of the conversation."""

    id: UUID
    role: MessageRole
    content: LongText
    author: Author
    created_at: AwareDatetime


class Fact(Message):
    """Something the engineer confirmed."""

    id: UUID
    text: ShortText
    visibility: Visibility
    author: Author
    created_at: AwareDatetime


class HistoryEntry(Message):
    """One accepted change. `from` and `to` are the fix's status, or the session's where it was closed."""

    sequence: int
    state_version: int
    kind: str
    fix_id: UUID | None = None
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None
    notes: str | None = None
    actor: Actor
    at: AwareDatetime
    command_id: UUID


class Operation(Message):
    """What became of a queued command. `parked`: it needs an operator.

    `answer` is what HTTP would have said, as long as that is kept.
    """

    operation_id: str
    status: str = Field(pattern="^(pending|succeeded|rejected)$")
    http_status: int | None = None
    answer: dict[str, JsonValue] | None = None
    accepted_at: AwareDatetime
    parked: bool = False


class CitedEvidence(Message):
    """The words of the record that a sentence of a note rests on."""

    kind: str = Field(description="record, intake, title, fact, message, history or fix")
    id: str = Field(
        description="The fact's, message's or fix's id; of history, the sequence; else the session's id"
    )
    quote: str = Field(description="The words in it")


class Citation(Message):
    """A sentence of a note, and what it rests on."""

    sentence: str = Field(description="As it stands in the note")
    evidence: tuple[CitedEvidence, ...] = Field(description="What that rests on")


class NoteUsage(Message):
    """What writing a note took of the language model. All calls count, those that were refused too."""

    calls: int = Field(description="Calls of the model")
    input_tokens: int = Field(description="Tokens read, without those from its cache")
    output_tokens: int = Field(description="Tokens written")
    cache_read_tokens: int = Field(default=0, description="Tokens read from the model's cache")
    cache_write_tokens: int = Field(default=0, description="Tokens written to the model's cache")
    cost_usd: float = Field(default=0.0, description="By the price table of the settings")


class Violation(Message):
    """One thing that is wrong with a document, held against the record."""

    check: str = Field(description="outcome, grounding, support or shape")
    rule: str = Field(description="Which rule of that check")
    detail: str = Field(description="What is wrong, in words")
    sentence: str = Field(default="", description="The line that says it; empty where something is missing")


class Note(Message):
    """A document that was written from a session at one state_version. `degraded`: an LLM was wanted, not had."""

    session_id: UUID
    kind: NoteKind
    state_version: int
    markdown: str
    generator: Generator
    degraded: bool = False
    warnings: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    usage: NoteUsage | None = None
    generated_at: AwareDatetime


class NoteSoFar(Message):
    """A note while it is written, as far as it may be shown: all of it has passed what can be checked by then.

    `replaced`: why a text that stood here before does not any more.
    """

    text: str = ""
    replaced: tuple[str, ...] = ()


class Snapshot(Message):
    """All that a note is written from, read in one transaction.

    `messages` holds the newest of `message_count`, oldest first; likewise `facts`, `transitions` (changes of fixes
    and of the session's status). The AI's proposals are left out: a note never rests on a guess.
    """

    session: Session
    fixes: tuple[Fix, ...]
    facts: tuple[Fact, ...]
    messages: tuple[ChatMessage, ...]
    message_count: int
    transitions: tuple[HistoryEntry, ...]
