"""A service on a schema that is older than itself waits for `database apply`: not ready, and nothing is parked."""

import asyncpg
import pytest
from fix_outcomes.storage.commands import WRITE
from fix_outcomes.storage.database import is_outage, understands
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message
from places import Database, altered

WITHIN_S = 5.0


@pytest.mark.parametrize(
    ("change", "back", "missing"),
    [
        (
            "alter table outbox rename column traceparent to later",
            "alter table outbox rename column later to traceparent",
            asyncpg.UndefinedColumnError,
        ),
        (
            "alter table facts rename to later",
            "alter table later rename to facts",
            asyncpg.UndefinedTableError,
        ),
    ],
    ids=["column", "table"],
)
async def test_what_a_later_schema_brings_is_waited_for_and_the_service_is_not_ready(
    desk: Desk, database: Database, change: str, back: str, missing: type[Exception]
) -> None:
    asked = desk.command(add_message(await desk.open_session()))
    async with altered(database.admin_url, change, back):
        with pytest.raises(missing) as raised:
            await desk.record(asked)
        assert not await understands(desk.engine, WRITE, timeout_s=WITHIN_S)
    assert is_outage(raised.value)
    assert (await desk.send(asked))[0].status == 201
    assert await understands(desk.engine, WRITE, timeout_s=WITHIN_S)


async def test_a_right_that_is_not_granted_yet_is_waited_for(desk: Desk, database: Database) -> None:
    asked = desk.command(add_message(await desk.open_session()))
    revoke, grant = "revoke insert on messages from fix_outcomes", "grant insert on messages to fix_outcomes"
    async with altered(database.admin_url, revoke, grant):
        with pytest.raises(asyncpg.InsufficientPrivilegeError) as raised:
            await desk.record(asked)
    assert is_outage(raised.value)
    assert (await desk.send(asked))[0].status == 201
