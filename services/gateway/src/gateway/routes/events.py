"""What happens to a session, as it happens."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from pydantic import BeforeValidator, Field

from gateway import docs
from gateway.reads import RequestedRead
from gateway.routes.sessions import SESSIONS
from gateway.stream import EventStream

router = APIRouter(prefix=SESSIONS, tags=["events"])


def _said(value: object) -> object:
    """To the standard for event streams, an empty id is none."""
    return None if value == "" else value


LastEventId = Annotated[
    Annotated[int, Field(ge=0, lt=1 << 62)] | None,
    BeforeValidator(_said),
    Header(description="Resume after this sequence"),
]


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
