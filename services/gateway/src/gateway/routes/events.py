"""What happens to a session, as it happens."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header

from gateway import docs
from gateway.reads import RequestedRead
from gateway.routes.sessions import SESSIONS
from gateway.stream import EventStream

router = APIRouter(prefix=SESSIONS, tags=["events"])

LastEventId = Annotated[int | None, Header(ge=0, lt=1 << 62, description="Resume after this sequence")]


@router.get("/{session_id}/events", **docs.stream("Follow a session"))
async def follow_session(
    session_id: UUID, read: RequestedRead, last_event_id: LastEventId = None
) -> EventStream:
    """Server-sent events: `state` first, then one `<noun>.<verb>` for each change, with the CloudEvent as data.

    `id` is the session's sequence; with `Last-Event-ID` the stream resumes without a gap. A `state` without `id`
    may come again after a break. The stream ends when the token expires.
    """
    read.parts.take_turn(read.caller)
    return EventStream(read=read, session_id=session_id, last_event_id=last_event_id)
