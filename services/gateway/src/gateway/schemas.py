"""What clients may send. Unknown fields are refused; texts are those of the contracts."""

import base64
import binascii
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema
from shared.contracts.text import LongText, Notes, ShortText, Title
from shared.contracts.views import (
    Citation,
    Evidence,
    IntakeContent,
    NoteUsage,
    OutcomeProposal,
    Ticket,
    Violation,
)
from shared.contracts.vocabulary import Generator, MessageRole, NoteKind, Outcome, Visibility

Item = TypeVar("Item")

_STRICT = ConfigDict(extra="forbid", frozen=True)


def _strict(*examples: dict[str, JsonValue]) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": list(examples)})


Percent = Annotated[int, Field(ge=0, le=100, strict=True)]


class NewTicket(Ticket):
    """The ticket in the PSA tool that the session belongs to."""

    model_config = _STRICT


class NewIntake(IntakeContent):
    """What the client reported, as it came in."""

    model_config = _STRICT


class NewSession(BaseModel):
    """Open a session."""

    model_config = _strict(
        {
            "session_type": "chat",
            "intake_type": "free_text",
            "intake_content": {
                "text": "No internet at reception since 8:15, the router was updated last night"
            },
            "title": "No internet at reception",
            "ticket": {"system": "halopsa", "id": "48213"},
        }
    )

    session_type: Literal["chat"]
    intake_type: Literal["free_text"]
    intake_content: NewIntake
    title: Title | None = None
    ticket: NewTicket | None = None


class NewMessage(BaseModel):
    """Add a message to the conversation."""

    model_config = _strict({"role": "client", "content": "The line light is green again"})

    role: MessageRole
    content: LongText


class NewFact(BaseModel):
    """Confirm a fact; `internal` facts reach the escalation package alone."""

    model_config = _strict({"text": "The DSL line has sync", "visibility": "client"})

    text: ShortText
    visibility: Visibility = Visibility.CLIENT


class NewFix(BaseModel):
    """Suggest a fix."""

    model_config = _strict(
        {
            "title": "Update the router's firmware to 3.2.1",
            "description": "Upload 3.2.1 under Maintenance, then power-cycle once",
            "confidence_pct": 80,
        }
    )

    title: Title
    description: LongText
    confidence_pct: Percent


class RecordedOutcome(BaseModel):
    """What came of the fix. `applied_pending` and `applied_partial` require notes."""

    model_config = _strict(
        {"outcome": "applied_pending", "notes": "Client power-cycles the router after 18:00"},
        {"outcome": "applied_success"},
    )

    outcome: Outcome
    notes: Notes | None = Field(default=None, description="Why; at most 4,000 characters after trimming")


class NewEvidence(Evidence):
    """The words of a message that the proposal rests on."""

    model_config = _STRICT


class NewProposal(OutcomeProposal):
    """The AI's guess of an outcome."""

    model_config = _strict(
        {"outcome": "success", "reason": "Client: internet is back", "confidence_pct": 70, "evidence": []}
    )

    confidence_pct: Percent | None = None
    evidence: tuple[NewEvidence, ...] = Field(default=(), max_length=50)


class Page(BaseModel, Generic[Item]):
    """A part of a list. `next_cursor` asks for the next part; null: this is the last."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


class Preview(BaseModel):
    """A document for the session's current state. `degraded`: an LLM was wanted, not had."""

    markdown: str
    state_version: int
    from_cache: bool
    generator: Generator
    degraded: bool
    generated_at: AwareDatetime
    warnings: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    usage: NoteUsage | None = None


class NoteToLint(BaseModel):
    """A text to be held against the record, as if it were this document."""

    model_config = _strict({"kind": "resolution_note", "markdown": "## Problem\n\nNo internet at reception."})

    kind: NoteKind
    markdown: LongText


class LintReport(BaseModel):
    """What is wrong with the text, for the session's current state; nothing: it agrees with the record."""

    state_version: int
    violations: tuple[Violation, ...]


def opaque(cursor: int | str) -> str:
    """A cursor as clients see it: they send it back, and read nothing in it."""
    return base64.urlsafe_b64encode(str(cursor).encode()).decode().rstrip("=")


def _transparent(cursor: object) -> object:
    if not isinstance(cursor, str):
        return cursor
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise ValueError("not a cursor of this list") from error


_CURSOR = WithJsonSchema({"type": "string", "maxLength": 100})

SequenceCursor = Annotated[int, Field(ge=0, lt=1 << 62), BeforeValidator(_transparent), _CURSOR]
IdCursor = Annotated[UUID, BeforeValidator(_transparent), _CURSOR]
