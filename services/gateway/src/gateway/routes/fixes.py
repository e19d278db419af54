"""Suggested fixes: what became of each, as recorded by people and as guessed by the AI."""

from uuid import UUID

from fastapi import APIRouter
from shared.contracts.commands import ApplyFix, ClearProposal, ProposeOutcome, RecordOutcome, SuggestFix
from shared.contracts.problems import ProblemCode
from shared.contracts.queries import GetActiveFix, GetFix, ListFixes, ListHistory
from shared.contracts.views import Fix, HistoryEntry
from shared.contracts.vocabulary import ActionKind, notes_missing
from starlette.responses import Response

from gateway import docs
from gateway.bodies import NO_BODY
from gateway.changes import Change, RequestedChange
from gateway.problems import Problem
from gateway.reads import RequestedRead
from gateway.routes.sessions import SESSIONS, Cursor, Limit
from gateway.schemas import NewFix, NewProposal, Page, RecordedOutcome

router = APIRouter(prefix=f"{SESSIONS}/{{session_id}}/suggested-fixes", tags=["fixes"])


@router.post("", **docs.change("Suggest a fix", Fix, status=201))
async def suggest_fix(session_id: UUID, body: NewFix, change: RequestedChange) -> Response:
    """Suggest a fix. It supersedes the session's fixes that are still `proposed`."""
    action = SuggestFix(
        session_id=session_id,
        title=body.title,
        description=body.description,
        confidence_pct=body.confidence_pct,
    )
    return await change.submit(action, location=f"{SESSIONS}/{session_id}/suggested-fixes")


@router.get("", **docs.read("List fixes", Page[Fix]))
async def list_fixes(session_id: UUID, read: RequestedRead) -> Response:
    """All fixes of the session, oldest first."""
    return await read.page(ListFixes(session_id=session_id))


@router.get("/active", **docs.read("Show the active fix", Fix))
async def get_active_fix(session_id: UUID, read: RequestedRead) -> Response:
    """The newest fix that is neither superseded nor terminal; 404 when there is none."""
    return await read.show(GetActiveFix(session_id=session_id))


@router.get("/{fix_id}", **docs.read("Show a fix", Fix))
async def get_fix(session_id: UUID, fix_id: UUID, read: RequestedRead) -> Response:
    """One fix."""
    return await read.show(GetFix(session_id=session_id, fix_id=fix_id))


@router.patch("/{fix_id}/outcome", **docs.change("Record an outcome", Fix, notes=True))
async def record_outcome(
    session_id: UUID, fix_id: UUID, body: RecordedOutcome, change: RequestedChange
) -> Response:
    """Say what came of the fix. `applied_pending` and `applied_partial` require `notes`."""
    return await record(change, session_id, fix_id, body)


async def record(change: Change, session_id: UUID, fix_id: UUID, body: RecordedOutcome) -> Response:
    """Record an outcome, for whichever way the request came. Who may not is told before what is missing."""
    change.permit(ActionKind.RECORD_OUTCOME)
    if notes_missing(body.outcome, body.notes):
        detail = f"{body.outcome} requires notes: say in `notes` what is awaited, or what was done"
        raise Problem(ProblemCode.NOTES_REQUIRED, detail)
    action = RecordOutcome(
        session_id=session_id, fix_id=fix_id, outcome=body.outcome, notes=body.notes or None
    )
    return await change.send(action)


@router.post("/{fix_id}/apply", dependencies=[NO_BODY], **docs.change("Apply a fix", Fix))
async def apply_fix(session_id: UUID, fix_id: UUID, change: RequestedChange) -> Response:
    """The engineer ran it; there is no verdict yet. A second time changes nothing."""
    return await change.submit(ApplyFix(session_id=session_id, fix_id=fix_id))


@router.put("/{fix_id}/ai-outcome-proposal", **docs.change("Propose an outcome", Fix))
async def propose_outcome(
    session_id: UUID, fix_id: UUID, body: NewProposal, change: RequestedChange
) -> Response:
    """The AI's guess; it replaces an older one and never changes the status."""
    return await change.submit(ProposeOutcome(session_id=session_id, fix_id=fix_id, proposal=body))


@router.delete(
    "/{fix_id}/ai-outcome-proposal", dependencies=[NO_BODY], **docs.change("Clear the proposal", Fix)
)
async def clear_proposal(session_id: UUID, fix_id: UUID, change: RequestedChange) -> Response:
    """Reject or withdraw the AI's guess; 200 also when there is none."""
    return await change.submit(ClearProposal(session_id=session_id, fix_id=fix_id))


@router.get("/{fix_id}/transitions", **docs.read("List a fix's changes", Page[HistoryEntry]))
async def list_transitions(
    session_id: UUID, fix_id: UUID, read: RequestedRead, cursor: Cursor = 0, limit: Limit = 50
) -> Response:
    """Who changed the fix, when, from what to what, and why; oldest first."""
    question = ListHistory(session_id=session_id, fix_id=fix_id, cursor=cursor, limit=limit)
    return await read.page(question)
