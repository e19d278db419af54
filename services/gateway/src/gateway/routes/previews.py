"""Previews of the two documents, always for the session's current state."""

import asyncio
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from shared.contracts.answers import Answer
from shared.contracts.queries import GetSession, LintNote, WriteNote
from shared.contracts.queries import Query as Question
from shared.contracts.views import Note
from shared.contracts.vocabulary import NoteKind
from shared.courier import CourierError
from starlette.responses import Response

from gateway import docs
from gateway.bodies import NO_BODY
from gateway.changes import refusal, shown
from gateway.note_stream import streamed
from gateway.problems import unavailable
from gateway.reads import Read, RequestedRead
from gateway.routes.sessions import SESSIONS
from gateway.schemas import LintReport, NoteToLint, Preview

router = APIRouter(prefix=f"{SESSIONS}/{{session_id}}", tags=["notes"])

_OK = 200

Stream = Annotated[
    bool,
    Query(
        description="Server-sent events: `progress`, `text`, `replaced` where what stood has to go, `document`"
    ),
]


@router.post(
    "/resolution-note/preview",
    dependencies=[NO_BODY],
    **docs.preview("Preview the resolution note", Preview),
)
async def preview_resolution_note(session_id: UUID, read: RequestedRead, stream: Stream = False) -> Response:
    """The client-visible note for the current state: from the cache, or written now."""
    return await _preview(read, session_id, NoteKind.RESOLUTION_NOTE, stream=stream)


@router.post(
    "/escalation-package/preview",
    dependencies=[NO_BODY],
    **docs.preview("Preview the escalation package", Preview),
)
async def preview_escalation_package(
    session_id: UUID, read: RequestedRead, stream: Stream = False
) -> Response:
    """The internal package for the next engineer: from the cache, or written now."""
    return await _preview(read, session_id, NoteKind.ESCALATION_PACKAGE, stream=stream)


@router.post("/notes/lint", **docs.read("Hold a text against the record", LintReport))
async def lint_note(session_id: UUID, text: NoteToLint, read: RequestedRead) -> Response:
    """The checks that every note has to pass, over a text of the caller's: where it contradicts the record."""
    read.parts.take_turn(read.caller)
    deadline = asyncio.get_running_loop().time() + read.parts.settings.preview_timeout_s
    question = LintNote(session_id=session_id, note=text.kind, markdown=text.markdown)
    answer = await _written(read, question, deadline)
    return shown(answer.body) if answer.status == _OK else refusal(read.scope, answer)


async def _preview(read: Read, session_id: UUID, kind: NoteKind, *, stream: bool) -> Response:
    read.parts.take_turn(read.caller)
    deadline = asyncio.get_running_loop().time() + read.parts.settings.preview_timeout_s
    session = await read.ask(GetSession(session_id=session_id))
    if session.status != _OK:
        return refusal(read.scope, session)
    version = int(session.body["state_version"])
    await read.parts.notes.show_interest(account_id=read.caller.account_id, session_id=session_id)
    cached = await read.parts.notes.note(
        account_id=read.caller.account_id, session_id=session_id, kind=kind, state_version=version
    )
    if stream:
        asked = (
            _found(cached)
            if cached
            else _written(read, WriteNote(session_id=session_id, note=kind), deadline)
        )
        look = partial(
            read.parts.notes.so_far,
            account_id=read.caller.account_id,
            session_id=session_id,
            kind=kind,
            state_version=version,
        )
        return streamed(asked, look=look, from_cache=cached is not None, state_version=version)
    if cached is not None:
        return _shown(cached, from_cache=True)
    answer = await _written(read, WriteNote(session_id=session_id, note=kind), deadline)
    if answer.status != _OK:
        return refusal(read.scope, answer)
    return _shown(Note.model_validate(answer.body), from_cache=False)


async def _found(note: Note) -> Answer:
    return Answer(ref=0, status=_OK, body=note.model_dump(mode="json"))


async def _written(read: Read, question: WriteNote | LintNote, deadline: float) -> Answer:
    try:
        return await read.parts.couriers.previews.ask(
            lambda ref: Question(
                ref=ref,
                account_id=read.caller.account_id,
                traceparent=read.scope["traceparent"],
                question=question,
            ),
            timeout_s=max(deadline - asyncio.get_running_loop().time(), 0),
        )
    except CourierError as error:
        raise unavailable("The note cannot be written right now") from error


def _shown(note: Note, *, from_cache: bool) -> Response:
    return shown({**note.model_dump(mode="json", exclude={"session_id", "kind"}), "from_cache": from_cache})
