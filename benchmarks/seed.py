"""What both sides begin with: sessions with one fix each, and the paths of the fixes' outcomes."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import httpx
from fix_outcomes import provisioning
from pydantic import SecretStr

_AT_ONCE = 16
_DESCRIPTION = "Download 3.2.1 from the vendor, upload it under Maintenance, power-cycle once. " * 3


async def through_the_api(url: str, token: str, sessions: int) -> list[str]:
    """Sessions and fixes made as anyone would make them."""
    turns = asyncio.Semaphore(_AT_ONCE)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=30) as api:

        async def one() -> str:
            async with turns:
                intake = {"text": "No internet at reception since this morning"}
                opened = await api.post(
                    "/ai-sessions",
                    json={"session_type": "chat", "intake_type": "free_text", "intake_content": intake},
                )
                session = opened.raise_for_status().json()["id"]
                fixes = f"/ai-sessions/{session}/suggested-fixes"
                fix = {
                    "title": "Update the router's firmware",
                    "description": _DESCRIPTION,
                    "confidence_pct": 80,
                }
                suggested = await api.post(fixes, json=fix)
                return f"/api/v1{fixes}/{suggested.raise_for_status().json()['id']}/outcome"

        return list(await asyncio.gather(*(one() for _ in range(sessions))))


async def fresh_database(url: str) -> str:
    """An empty database beside the stack's, with the same tables."""
    name = f"monolith_{uuid4().hex[:8]}"
    admin = await asyncpg.connect(url)
    await admin.execute(f"create database {name}")
    await admin.close()
    made = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    await provisioning.migrate(SecretStr(made), "head")
    return made


async def into_the_database(url: str, account: UUID, sessions: int) -> list[str]:
    """The same sessions and fixes for the monolith, which has no route to make them."""
    connection = await asyncpg.connect(url)
    now, author = datetime.now(UTC), f'{{"id": "{uuid4()}", "name": "Sam Okafor"}}'
    paths = []
    for _ in range(sessions):
        session, fix = uuid4(), uuid4()
        await connection.execute(
            "insert into sessions values ($1, $2, null, 'active', 'chat', 'free_text', $3, null, 2, 2, $4, $5, $5)",
            session, account, "No internet at reception since this morning", author, now,
        )  # fmt: skip
        await connection.execute(
            "insert into suggested_fixes (id, account_id, session_id, title, description, confidence_pct, status,"
            " created_at, updated_at) values ($1, $2, $3, $4, $5, 80, 'proposed', $6, $6)",
            fix, account, session, "Update the router's firmware", _DESCRIPTION, now,
        )  # fmt: skip
        paths.append(f"/api/v1/ai-sessions/{session}/suggested-fixes/{fix}/outcome")
    await connection.close()
    return paths
