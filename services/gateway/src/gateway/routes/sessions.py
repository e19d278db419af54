"""Sessions, their conversation, their facts, and how they end."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from shared.contracts.commands import AddMessage, ConfirmFact, CreateSession, EscalateSession, ResolveSession
from shared.contracts.queries import (
    MAX_PAGE,
    GetSession,
    ListFacts,
    ListHistory,
    ListMessages,
    ListSessions,
)
from shared.contracts.text import SearchText
from shared.contracts.views import ChatMessage, Fact, HistoryEntry, Session, SessionWithFixes
from shared.contracts.vocabulary import SessionStatus
from starlette.responses import Response

from gateway import docs
from gateway.bodies import NO_BODY
from gateway.changes import RequestedChange
from gateway.reads import RequestedRead
from gateway.schemas import IdCursor, NewFact, NewMessage, NewSession, Page, SequenceCursor

SESSIONS = "/api/v1/ai-sessions"

router = APIRouter(prefix=SESSIONS, tags=["sessions"])

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Items at most")]
Cursor = Annotated[SequenceCursor, Query(description="`next_cursor` of the page before")]


@router.post("", **docs.change("Open a session", Session, status=201))
async def create_session(body: NewSession, change: RequestedChange) -> Response:
    """Begin a troubleshooting conversation from what the client reported."""
    action = CreateSession(
        title=body.title,
        session_type=body.session_type,
        intake_type=body.intake_type,
        intake_content=body.intake_content,
        ticket=body.ticket,
    )
    return await change.submit(action, location=SESSIONS)


@router.get("", **docs.read("List sessions", Page[Session]))
async def list_sessions(
    read: RequestedRead,
    status: Annotated[SessionStatus | None, Query(description="Only these")] = None,
    search: Annotated[
        SearchText | None,
        Query(description="Only where the title, the report or the ticket's number has this"),
    ] = None,
    cursor: Annotated[IdCursor | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Limit = 50,
) -> Response:
    """Your account's sessions, newest first."""
    return await read.page(ListSessions(status=status, search=search, cursor=cursor, limit=limit))


@router.get("/{session_id}", **docs.read("Show a session", SessionWithFixes))
async def get_session(session_id: UUID, read: RequestedRead) -> Response:
    """One session with all its fixes, oldest first. `ETag` is its `state_version`."""
    return await read.show(GetSession(session_id=session_id))


@router.get("/{session_id}/messages", **docs.read("List messages", Page[ChatMessage]))
async def list_messages(
    session_id: UUID, read: RequestedRead, cursor: Cursor = 0, limit: Limit = 50
) -> Response:
    """The conversation, oldest first."""
    return await read.page(ListMessages(session_id=session_id, cursor=cursor, limit=limit))


@router.post("/{session_id}/messages", **docs.change("Add a message", ChatMessage, status=201))
async def add_message(session_id: UUID, body: NewMessage, change: RequestedChange) -> Response:
    """Add one message to the conversation."""
    return await change.submit(AddMessage(session_id=session_id, role=body.role, content=body.content))


@router.get("/{session_id}/facts", **docs.read("List confirmed facts", Page[Fact]))
async def list_facts(
    session_id: UUID, read: RequestedRead, cursor: Cursor = 0, limit: Limit = 50
) -> Response:
    """What was confirmed, oldest first."""
    return await read.page(ListFacts(session_id=session_id, cursor=cursor, limit=limit))


@router.post("/{session_id}/facts", **docs.change("Confirm a fact", Fact, status=201))
async def confirm_fact(session_id: UUID, body: NewFact, change: RequestedChange) -> Response:
    """Record something as confirmed. `internal` facts reach the escalation package alone."""
    action = ConfirmFact(session_id=session_id, text=body.text, visibility=body.visibility)
    return await change.submit(action)


@router.get("/{session_id}/history", **docs.read("List changes", Page[HistoryEntry]))
async def list_history(
    session_id: UUID, read: RequestedRead, cursor: Cursor = 0, limit: Limit = 50
) -> Response:
    """Every accepted change of the session, oldest first."""
    return await read.page(ListHistory(session_id=session_id, cursor=cursor, limit=limit))


@router.post("/{session_id}/resolve", dependencies=[NO_BODY], **docs.change("Resolve a session", Session))
async def resolve_session(session_id: UUID, change: RequestedChange) -> Response:
    """Close it as resolved. Refused while a fix is applied without a verdict, pending or partial."""
    return await change.submit(ResolveSession(session_id=session_id))


@router.post("/{session_id}/escalate", dependencies=[NO_BODY], **docs.change("Escalate a session", Session))
async def escalate_session(session_id: UUID, change: RequestedChange) -> Response:
    """Hand it to a colleague. Parked fixes go along; a fix applied without a verdict is refused."""
    return await change.submit(EscalateSession(session_id=session_id))
