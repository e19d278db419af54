"""What the account waits for: fixes that are applied and parked until somebody can tell whether they worked."""

from typing import Annotated

from fastapi import APIRouter, Query
from shared.contracts.queries import ListPendingVerifications
from shared.contracts.views import PendingVerification
from starlette.responses import Response

from gateway import docs
from gateway.reads import RequestedRead
from gateway.routes.sessions import Limit
from gateway.schemas import IdCursor, Page

router = APIRouter(prefix="/api/v1/pending-verifications", tags=["fixes"])


@router.get("", **docs.read("List pending verifications", Page[PendingVerification]))
async def list_pending_verifications(
    read: RequestedRead,
    mine: Annotated[bool, Query(description="Only what you have parked yourself")] = False,
    cursor: Annotated[IdCursor | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Limit = 50,
) -> Response:
    """Your account's parked fixes, the one that waits longest first."""
    parked_by = read.caller.actor.id if mine else None
    return await read.page(ListPendingVerifications(parked_by=parked_by, cursor=cursor, limit=limit))
