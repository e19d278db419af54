"""Questions. They travel in batches like commands, but are dropped when stale and never parked."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.commands import MAX_BATCH
from shared.contracts.text import Message, Ref, Traceparent, Version
from shared.contracts.vocabulary import NoteKind, SessionStatus

MAX_PAGE = 200


class ListSessions(Message):
    """Newest first; `cursor` is the id of the last session of the page before."""

    kind: Literal["list_sessions"] = "list_sessions"
    status: SessionStatus | None = None
    cursor: UUID | None = None
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


class GetSession(Message):
    """One session with its fixes."""

    kind: Literal["get_session"] = "get_session"
    session_id: UUID


class ListMessages(Message):
    """Oldest first; `cursor` is the sequence of the last one of the page before."""

    kind: Literal["list_messages"] = "list_messages"
    session_id: UUID
    cursor: int = 0
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


class ListFacts(Message):
    """Oldest first; `cursor` as for messages."""

    kind: Literal["list_facts"] = "list_facts"
    session_id: UUID
    cursor: int = 0
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


class ListFixes(Message):
    """All fixes of a session, oldest first."""

    kind: Literal["list_fixes"] = "list_fixes"
    session_id: UUID


class GetActiveFix(Message):
    """The newest fix that is neither superseded nor terminal; 404 when there is none."""

    kind: Literal["get_active_fix"] = "get_active_fix"
    session_id: UUID


class GetFix(Message):
    """One fix."""

    kind: Literal["get_fix"] = "get_fix"
    session_id: UUID
    fix_id: UUID


class ListHistory(Message):
    """Accepted changes of a session, or of one fix of it, oldest first; `cursor` is a sequence."""

    kind: Literal["list_history"] = "list_history"
    session_id: UUID
    fix_id: UUID | None = None
    cursor: int = 0
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


class ListEvents(Message):
    """The events of a session after a sequence, as they were or will be published (CloudEvents)."""

    kind: Literal["list_events"] = "list_events"
    session_id: UUID
    cursor: int = 0
    limit: int = Field(default=MAX_PAGE, ge=1, le=MAX_PAGE)


class GetOperation(Message):
    """What the command log knows of a command."""

    kind: Literal["get_operation"] = "get_operation"
    command_id: UUID


class GetSnapshot(Message):
    """All that a note is written from."""

    kind: Literal["get_snapshot"] = "get_snapshot"
    session_id: UUID


class WriteNote(Message):
    """Write this document for the newest state, or give the one that is being written. For note-generator."""

    kind: Literal["write_note"] = "write_note"
    session_id: UUID
    note: NoteKind


Record = (
    ListSessions
    | GetSession
    | ListMessages
    | ListFacts
    | ListFixes
    | GetActiveFix
    | GetFix
    | ListHistory
    | ListEvents
    | GetOperation
    | GetSnapshot
)


class Query(Message):
    """One question on behalf of one account. `ref` is echoed in the answer."""

    ref: Ref
    account_id: UUID = Field(description="The account that asks; it sees nothing of others")
    traceparent: Traceparent = None
    question: Annotated[Record | WriteNote, Field(discriminator="kind", description="What is asked")]


class QueryBatch(Message):
    """1 to 128 questions. AMQP `reply_to` says where the answers go."""

    version: Version = 1
    queries: tuple[Query, ...] = Field(
        min_length=1, max_length=MAX_BATCH, description="Each is answered for itself"
    )
