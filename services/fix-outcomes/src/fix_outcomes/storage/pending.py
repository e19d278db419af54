"""Parked fixes of an account: what awaits a verdict, since when, and who parked it."""

from typing import Any
from uuid import UUID

from shared.contracts.queries import ListPendingVerifications
from shared.contracts.views import Actor
from shared.contracts.vocabulary import FixStatus
from sqlalchemy import Select, Table, and_, literal_column, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from fix_outcomes.domain import views
from fix_outcomes.storage import rows
from fix_outcomes.storage.pages import fitting
from fix_outcomes.storage.tables import fixes, journal, sessions

_PARKED = "in ('applied_partial', 'applied_pending')"
"""Written out: the planner uses a partial index only where it sees the statuses themselves."""


async def verifications(
    connection: AsyncConnection, account_id: UUID, ask: ListPendingVerifications
) -> dict[str, Any]:
    """A page of them, the one that waits longest first."""
    found = list((await connection.execute(_page(account_id, ask))).mappings())
    items = fitting(_shown(row) for row in found[: ask.limit])
    return {"items": items, "next_cursor": items[-1]["fix"]["id"] if len(found) > len(items) else None}


def _page(account_id: UUID, ask: ListPendingVerifications) -> Select[Any]:
    parked = _parking(fixes)
    page = (
        select(
            *(column.label(f"fix_{column.name}") for column in fixes.c),
            *(column.label(f"session_{column.name}") for column in sessions.c),
            parked.c.at.label("since"),
            parked.c.actor.label("parked_by"),
        )
        .join_from(
            fixes, sessions, and_(sessions.c.account_id == account_id, sessions.c.id == fixes.c.session_id)
        )
        .join(parked, true())
        .where(fixes.c.account_id == account_id, literal_column(f"suggested_fixes.status {_PARKED}"))
    )
    if ask.parked_by:
        page = page.where(parked.c.actor["id"].astext == str(ask.parked_by))
    if ask.cursor:
        last = fixes.alias("last_fix")
        began = _parking(last)
        before = select(began.c.at, last.c.id).join_from(last, began, true())
        of_last = before.where(last.c.account_id == account_id, last.c.id == ask.cursor).scalar_subquery()
        page = page.where(tuple_(parked.c.at, fixes.c.id) > of_last)
    return page.order_by(parked.c.at, fixes.c.id).limit(ask.limit + 1)


def _parking(of: Table | Any) -> Any:
    """When and by whom a fix was first parked: the oldest such entry of its session's journal."""
    return (
        select(journal.c.at, journal.c.actor)
        .where(
            journal.c.session_id == of.c.session_id,
            journal.c.fix_id == of.c.id,
            literal_column(f"journal.to_status {_PARKED}"),
        )
        .order_by(journal.c.sequence)
        .limit(1)
        .lateral()
    )


def _shown(row: rows.Row) -> dict[str, Any]:
    session = rows.session(_part(row, "session_"))
    fix = rows.fix(_part(row, "fix_"))
    reason = fix.pending_reason if fix.status is FixStatus.APPLIED_PENDING else fix.partial_notes
    return {
        "fix": views.fix(fix, session),
        "session": views.session(session),
        "reason": reason,
        "since": views.time(row["since"]),
        "parked_by": Actor.model_validate(row["parked_by"]).model_dump(mode="json"),
    }


def _part(row: rows.Row, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
