"""What is asked about the record: each question one or two reads inside a transaction that sees one moment."""

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from shared.contracts import queries
from sqlalchemy import BigInteger, ColumnElement, Select, Table, and_, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from fix_outcomes.domain import views
from fix_outcomes.domain.model import Fix, Session
from fix_outcomes.domain.refusals import key_reused, not_found
from fix_outcomes.storage import pending, rows
from fix_outcomes.storage.pages import fitting
from fix_outcomes.storage.snapshot import snapshot
from fix_outcomes.storage.tables import (
    command_log,
    facts,
    fixes,
    journal,
    messages,
    parked_commands,
    sessions,
)

Body = dict[str, Any]

_Paged = queries.ListMessages | queries.ListFacts | queries.ListHistory | queries.ListEvents


async def answer(connection: AsyncConnection, account_id: UUID, question: queries.Record) -> Body:
    """The answer to one question. Raises `Refused` as not found."""
    return await _ANSWERS[type(question)](connection, account_id, question)


async def _list_sessions(connection: AsyncConnection, account_id: UUID, ask: queries.ListSessions) -> Body:
    page = select(sessions).where(sessions.c.account_id == account_id)
    if ask.status:
        page = page.where(sessions.c.status == ask.status)
    if ask.search:
        page = page.where(_mentions(ask.search))
    if ask.cursor:
        last = sessions.alias()
        before = select(last.c.created_at).where(last.c.account_id == account_id, last.c.id == ask.cursor)
        earlier = before.scalar_subquery()
        page = page.where(
            or_(
                sessions.c.created_at < earlier,
                and_(sessions.c.created_at == earlier, sessions.c.id < ask.cursor),
            )
        )
    newest_first = page.order_by(sessions.c.created_at.desc(), sessions.c.id.desc())
    found = [rows.session(row) for row in await _all(connection, newest_first.limit(ask.limit + 1))]
    items = fitting(views.session(session) for session in found[: ask.limit])
    return {"items": items, "next_cursor": items[-1]["id"] if len(found) > len(items) else None}


def _mentions(words: str) -> ColumnElement[bool]:
    places = (sessions.c.title, sessions.c.intake_text, sessions.c.ticket["id"].astext)
    return or_(*(place.icontains(words, autoescape=True) for place in places))


async def _get_session(connection: AsyncConnection, account_id: UUID, ask: queries.GetSession) -> Body:
    session = await _session(connection, account_id, ask.session_id)
    return views.session(session, await _fixes(connection, session))


async def _list_messages(connection: AsyncConnection, account_id: UUID, ask: queries.ListMessages) -> Body:
    await _session(connection, account_id, ask.session_id)
    found = await _after(connection, messages, account_id, ask)
    return _page([views.message(rows.message(row)) for row in found], found, ask.limit)


async def _list_facts(connection: AsyncConnection, account_id: UUID, ask: queries.ListFacts) -> Body:
    await _session(connection, account_id, ask.session_id)
    found = await _after(connection, facts, account_id, ask)
    return _page([views.fact(rows.fact(row)) for row in found], found, ask.limit)


async def _list_fixes(connection: AsyncConnection, account_id: UUID, ask: queries.ListFixes) -> Body:
    session = await _session(connection, account_id, ask.session_id)
    return {
        "items": [views.fix(fix, session) for fix in await _fixes(connection, session)],
        "next_cursor": None,
    }


async def _get_active_fix(connection: AsyncConnection, account_id: UUID, ask: queries.GetActiveFix) -> Body:
    session = await _session(connection, account_id, ask.session_id)
    active = [fix for fix in await _fixes(connection, session) if not fix.superseded and not fix.terminal]
    if not active:
        raise not_found()
    return views.fix(active[-1], session)


async def _get_fix(connection: AsyncConnection, account_id: UUID, ask: queries.GetFix) -> Body:
    session = await _session(connection, account_id, ask.session_id)
    return views.fix(await _fix(connection, session, ask.fix_id), session)


async def _list_history(connection: AsyncConnection, account_id: UUID, ask: queries.ListHistory) -> Body:
    session = await _session(connection, account_id, ask.session_id)
    of_fix: tuple[ColumnElement[bool], ...] = ()
    if ask.fix_id:
        await _fix(connection, session, ask.fix_id)
        of_fix = (journal.c.fix_id == ask.fix_id,)
    found = await _after(connection, journal, account_id, ask, *of_fix)
    return _page([rows.history_entry(row) for row in found], found, ask.limit)


async def _list_events(connection: AsyncConnection, account_id: UUID, ask: queries.ListEvents) -> Body:
    await _session(connection, account_id, ask.session_id)
    found = await _after(connection, journal, account_id, ask)
    return _page([rows.event(row) for row in found], found, ask.limit)


async def _get_operation(connection: AsyncConnection, account_id: UUID, ask: queries.GetOperation) -> Body:
    logged = select(command_log).where(
        command_log.c.account_id == account_id, command_log.c.command_id == ask.command_id
    )
    for row in await _all(connection, logged):
        first = rows.logged(row)
        status, answer = first.status, first.answer
        if ask.fingerprint not in (None, first.fingerprint):
            reused = key_reused()
            status, answer = reused.status, reused.body
        return {
            "state": "succeeded" if status < HTTPStatus.BAD_REQUEST else "rejected",
            "http_status": status,
            "answer": dict(answer),
            "accepted_at": first.accepted_at.isoformat(),
        }
    if await _names(connection, journal, account_id, ask):  # for ever, while the log forgets the answer
        return {"state": "succeeded"}
    if await _names(connection, parked_commands, account_id, ask):
        return {"state": "parked"}
    raise not_found()


async def _names(
    connection: AsyncConnection, table: Table, account_id: UUID, ask: queries.GetOperation
) -> bool:
    named = select(table.c.command_id).where(
        table.c.account_id == account_id, table.c.command_id == ask.command_id
    )
    return bool(await _all(connection, named))


async def _session(connection: AsyncConnection, account_id: UUID, session_id: UUID) -> Session:
    wanted = select(sessions).where(sessions.c.account_id == account_id, sessions.c.id == session_id)
    for row in await _all(connection, wanted):
        return rows.session(row)
    raise not_found()


async def _fixes(connection: AsyncConnection, session: Session) -> list[Fix]:
    oldest_first = select(fixes).where(*_of(fixes, session)).order_by(fixes.c.created_at, fixes.c.id)
    return [rows.fix(row) for row in await _all(connection, oldest_first)]


async def _fix(connection: AsyncConnection, session: Session, fix_id: UUID) -> Fix:
    for row in await _all(connection, select(fixes).where(*_of(fixes, session), fixes.c.id == fix_id)):
        return rows.fix(row)
    raise not_found()


async def _after(
    connection: AsyncConnection, table: Table, account_id: UUID, ask: _Paged, *where: ColumnElement[bool]
) -> list[rows.Row]:
    """One row more than a page, in the order of the session's changes."""
    page = select(table).where(
        table.c.account_id == account_id,
        table.c.session_id == ask.session_id,
        table.c.sequence > literal(ask.cursor, BigInteger),  # a client may ask for what is beyond an integer
        *where,
    )
    return await _all(connection, page.order_by(table.c.sequence).limit(ask.limit + 1))


def _of(table: Table, session: Session) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.account_id == session.account_id, table.c.session_id == session.id


def _page(items: list[Body], found: list[rows.Row], limit: int) -> Body:
    shown = fitting(items[:limit])
    more = found[len(shown) - 1]["sequence"] if len(found) > len(shown) else None
    return {"items": shown, "next_cursor": more}


async def _all(connection: AsyncConnection, statement: Select[Any]) -> list[rows.Row]:
    return list((await connection.execute(statement)).mappings())


_Answer = Callable[[AsyncConnection, UUID, Any], Coroutine[Any, Any, Body]]

_ANSWERS: Mapping[type[queries.Record], _Answer] = {
    queries.ListSessions: _list_sessions,
    queries.GetSession: _get_session,
    queries.ListMessages: _list_messages,
    queries.ListFacts: _list_facts,
    queries.ListFixes: _list_fixes,
    queries.GetActiveFix: _get_active_fix,
    queries.GetFix: _get_fix,
    queries.ListHistory: _list_history,
    queries.ListEvents: _list_events,
    queries.ListPendingVerifications: pending.verifications,
    queries.GetOperation: _get_operation,
    queries.GetSnapshot: snapshot,
}
