"""What `journal replay` publishes again, and what it leaves to the relay."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from fix_outcomes.storage import outbox
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message
from places import Database


async def replayed(
    database: Database, *, session_id: UUID | None = None, since: datetime | None = None
) -> list[tuple[UUID, int]]:
    connection = await asyncpg.connect(database.relay_url)
    found = await outbox.entries(
        connection, session_id=session_id, since=since, after=outbox.BEGINNING, limit=100
    )
    await connection.close()
    return [outbox.place(entry) for entry in found]


@pytest.mark.parametrize("published", range(6))
async def test_an_entry_that_the_relay_has_yet_to_publish_is_not_overtaken_by_those_behind_it(
    desk: Desk, owner: Any, database: Database, published: int
) -> None:
    session, other = await desk.open_session(), await desk.open_session()
    await desk.send(*(desk.command(add_message(session)) for _ in range(4)))
    moment = await owner.fetchval("select at from journal where session_id = $1 and sequence = 3", session)
    await owner.execute(
        "update outbox set published_at = now() where (session_id, sequence) <> ($1, $2)",
        session,
        published + 1,
    )

    told = [(session, sequence) for sequence in range(1, published + 1)]
    assert await replayed(database, session_id=session) == told
    assert [place for place in await replayed(database, since=moment) if place[0] == session] == told[2:]
    assert await replayed(database, session_id=other) == [(other, 1)]


async def test_what_the_outbox_has_forgotten_is_replayed(desk: Desk, owner: Any, database: Database) -> None:
    session = await desk.open_session()
    await owner.execute("delete from outbox where session_id = $1", session)
    assert await replayed(database, session_id=session) == [(session, 1)]
