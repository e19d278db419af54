"""The peer: the same outcome PATCH as one FastAPI app with SQLAlchemy's ORM, a commit for each request.

It authenticates, validates, checks If-Match and the rules, and writes the same rows (fix, session, journal, outbox,
command log) by the same code as the services; only the way to the database differs. It sends no events, writes no
notes and streams nothing. `python -m benchmarks.peers.monolith` serves it; see `Settings`.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fix_outcomes.domain import batch, decide, model, refusals, steps
from fix_outcomes.storage import tables
from gateway.auth import Caller, Verifier
from gateway.keys import SharedSecret
from gateway.schemas import RecordedOutcome
from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from shared.contracts.commands import Command, RecordOutcome
from shared.contracts.views import Author, OutcomeProposal, Ticket
from shared.contracts.vocabulary import FixStatus, SessionStatus
from shared.ids import new_id
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import registry
from starlette.responses import Response


class Settings(BaseSettings):
    """MONOLITH_…: what the peer is told."""

    model_config = SettingsConfigDict(env_prefix="MONOLITH_")

    database_url: str
    jwt_secret: SecretStr
    port: int
    pool: int = 16


class SessionRow:
    """A row of `sessions`."""


class FixRow:
    """A row of `suggested_fixes`."""


class JournalRow:
    """A row of `journal`."""


class OutboxRow:
    """A row of `outbox`."""


class LogRow:
    """A row of `command_log`."""


def map_rows() -> None:
    """Map the tables of fix-outcomes onto plain classes."""
    mapper = registry()
    for row, table in (
        (SessionRow, tables.sessions),
        (FixRow, tables.fixes),
        (JournalRow, tables.journal),
        (OutboxRow, tables.outbox),
        (LogRow, tables.command_log),
    ):
        mapper.map_imperatively(row, table)


def create_app(settings: Settings) -> FastAPI:
    """The monolith."""
    map_rows()
    engine = create_async_engine(settings.database_url, pool_size=settings.pool, max_overflow=0)
    open_session = async_sessionmaker(engine, expire_on_commit=False)
    verifier = Verifier(
        keys=SharedSecret(settings.jwt_secret.get_secret_value()),
        algorithms=("HS256",),
        issuer="resolutionflow",
        audience="resolutionflow",
        remembered=10_000,
        now=time.time,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    async def caller(request: Request) -> Caller:
        return await verifier.caller(request.headers.get("authorization", "").encode())

    async def database() -> AsyncIterator[AsyncSession]:
        async with open_session() as session:
            yield session

    @app.patch("/api/v1/ai-sessions/{session_id}/suggested-fixes/{fix_id}/outcome")
    async def record_outcome(
        session_id: UUID,
        fix_id: UUID,
        body: RecordedOutcome,
        who: Annotated[Caller, Depends(caller)],
        db: Annotated[AsyncSession, Depends(database)],
        if_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        action = RecordOutcome(session_id=session_id, fix_id=fix_id, outcome=body.outcome, notes=body.notes)
        command = Command(
            ref=0,
            command_id=new_id(),
            account_id=who.account_id,
            actor=who.actor,
            fingerprint="",
            if_match=int(if_match.strip('"')) if if_match else None,
            issued_at=datetime.now(UTC),
            action=action,
        )
        status, answer = await record(db, command, action)
        headers = {"ETag": f'"{answer["state_version"]}"'} if "state_version" in answer else {}
        return Response(orjson.dumps(answer), status, headers, "application/json")

    return app


async def record(db: AsyncSession, command: Command, action: RecordOutcome) -> tuple[int, dict[str, Any]]:
    """One transaction: lock, load, decide, write, commit."""
    session_row = await db.scalar(
        select(SessionRow)
        .where(tables.sessions.c.id == action.session_id, tables.sessions.c.account_id == command.account_id)
        .with_for_update(key_share=True)
    )
    fix_row = await db.get(FixRow, action.fix_id)
    if session_row is None or fix_row is None:
        raise HTTPException(404)
    if await db.get(LogRow, command.command_id) is not None:
        raise HTTPException(409)
    fix = _fix(fix_row)
    state = steps.State(session=_session(session_row), fixes={fix.id: fix})
    at = datetime.now(UTC)
    try:
        decision = decide.decide(state, command, at=at)
    except refusals.Refused as refusal:
        status, answer = refusal.status, dict(refusal.body)
    else:
        status, answer = decision.status, dict(decision.body)
        _update(session_row, decision.session)
        _update(fix_row, decision.fixes[0])
        assert decision.entry is not None
        db.add(_filled(JournalRow(), decision.entry))
        db.add(_filled(OutboxRow(), {"session_id": action.session_id, "sequence": decision.entry.sequence}))
    logged = batch.Logged(
        command_id=command.command_id,
        account_id=command.account_id,
        fingerprint=command.fingerprint,
        status=status,
        answer=answer,
        accepted_at=command.issued_at,
        decided_at=at,
    )
    db.add(_filled(LogRow(), logged))
    await db.commit()
    return status, answer


def _session(row: Any) -> model.Session:
    values = {name: getattr(row, name) for name in model.Session.__slots__}
    values["status"] = SessionStatus(row.status)
    values["created_by"] = Author.model_validate(row.created_by)
    values["ticket"] = Ticket.model_validate(row.ticket) if row.ticket else None
    return model.Session(**values)


def _fix(row: Any) -> model.Fix:
    values = {name: getattr(row, name) for name in model.Fix.__slots__}
    values["status"] = FixStatus(row.status)
    proposal = row.ai_outcome_proposal
    values["ai_outcome_proposal"] = OutcomeProposal.model_validate(proposal) if proposal else None
    return model.Fix(**values)


def _update(row: Any, value: model.Session | model.Fix) -> None:
    for field in fields(value):
        new = getattr(value, field.name)
        if not isinstance(new, Author | Ticket | OutcomeProposal) and getattr(row, field.name) != new:
            setattr(row, field.name, new)


def _filled(row: Any, value: Any) -> Any:
    names = value if isinstance(value, dict) else {n: getattr(value, n) for n in value.__slots__}
    for name, each in names.items():
        setattr(
            row, name, each.model_dump(mode="json", by_alias=True) if isinstance(each, BaseModel) else each
        )
    return row


def main() -> None:
    """Serve on 127.0.0.1, as the gateway does: uvicorn, uvloop, httptools, no access log, one process."""
    settings = Settings()  # type: ignore[call-arg]
    uvicorn.run(
        create_app(settings),
        host="127.0.0.1",
        port=settings.port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
