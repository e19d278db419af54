"""Questions. They travel in batches like commands, but are dropped when stale and never parked."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.commands import MAX_BATCH
from shared.contracts.text import FixId, LongText, Message, Ref, SearchText, SessionId, Traceparent, Version
from shared.contracts.vocabulary import NoteKind, SessionStatus

MAX_PAGE = 200

Cursor = Annotated[int, Field(description="Sequence of the last entry of the page before; 0 begins")]
Limit = Annotated[int, Field(ge=1, le=MAX_PAGE, description="Entries on a page")]


class ListSessions(Message):
    """Sessions, newest first."""

    kind: Literal["list_sessions"] = "list_sessions"
    status: SessionStatus | None = Field(default=None, description="Sessions that are this alone")
    search: SearchText | None = Field(
        default=None,
        description="Words in the title, in the report or the ticket's number, whatever their case",
    )
    cursor: UUID | None = Field(default=None, description="The last session of the page before")
    limit: Limit = 50


class GetSession(Message):
    """One session with its fixes."""

    kind: Literal["get_session"] = "get_session"
    session_id: SessionId


class ListMessages(Message):
    """Messages of a session, oldest first."""

    kind: Literal["list_messages"] = "list_messages"
    session_id: SessionId
    cursor: Cursor = 0
    limit: Limit = 50


class ListFacts(Message):
    """Confirmed facts of a session, oldest first."""

    kind: Literal["list_facts"] = "list_facts"
    session_id: SessionId
    cursor: Cursor = 0
    limit: Limit = 50


class ListFixes(Message):
    """All fixes of a session, oldest first."""

    kind: Literal["list_fixes"] = "list_fixes"
    session_id: SessionId


class GetActiveFix(Message):
    """The newest fix that is neither superseded nor terminal; 404 when there is none."""

    kind: Literal["get_active_fix"] = "get_active_fix"
    session_id: SessionId


class GetFix(Message):
    """One fix."""

    kind: Literal["get_fix"] = "get_fix"
    session_id: SessionId
    fix_id: FixId


class ListHistory(Message):
    """Accepted changes of a session, or of one fix of it, oldest first."""

    kind: Literal["list_history"] = "list_history"
    session_id: SessionId
    fix_id: UUID | None = Field(default=None, description="Changes of this fix alone")
    cursor: Cursor = 0
    limit: Limit = 50


class ListEvents(Message):
    """The events of a session after a sequence, as they were or will be published (CloudEvents)."""

    kind: Literal["list_events"] = "list_events"
    session_id: SessionId
    cursor: Cursor = 0
    limit: Limit = MAX_PAGE


class ListPendingVerifications(Message):
    """Parked fixes of the account, the one that waits longest first."""

    kind: Literal["list_pending_verifications"] = "list_pending_verifications"
    parked_by: UUID | None = Field(default=None, description="Fixes that this user parked alone")
    cursor: UUID | None = Field(default=None, description="The last fix of the page before")
    limit: Limit = 50


class GetOperation(Message):
    """What the command log knows of a command."""

    kind: Literal["get_operation"] = "get_operation"
    command_id: UUID = Field(description="The command")
    fingerprint: str | None = Field(
        default=None,
        max_length=64,
        description="Of the request that asks; where another was decided under this id, its key was used already",
    )


class GetSnapshot(Message):
    """All that a note is written from."""

    kind: Literal["get_snapshot"] = "get_snapshot"
    session_id: SessionId


class WriteNote(Message):
    """Write this document for the newest state, or give the one that is being written. For note-generator."""

    kind: Literal["write_note"] = "write_note"
    session_id: SessionId
    note: NoteKind


class LintNote(Message):
    """Hold a text against the record, as if it were this document. For note-generator."""

    kind: Literal["lint_note"] = "lint_note"
    session_id: SessionId
    note: NoteKind
    markdown: LongText = Field(description="The text, such as a note that somebody edited")


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
    | ListPendingVerifications
    | GetOperation
    | GetSnapshot
)


class Query(Message):
    """One question on behalf of one account. `ref` is echoed in the answer."""

    ref: Ref
    account_id: UUID = Field(description="The account that asks; it sees nothing of others")
    traceparent: Traceparent = None
    question: Annotated[
        Record | WriteNote | LintNote, Field(discriminator="kind", description="What is asked")
    ]


class QueryBatch(Message):
    """1 to 128 questions. AMQP `reply_to` says where the answers go."""

    version: Version = 1
    queries: tuple[Query, ...] = Field(
        min_length=1, max_length=MAX_BATCH, description="Each is answered for itself"
    )
