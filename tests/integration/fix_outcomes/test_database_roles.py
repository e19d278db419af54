"""What the two roles of fix-outcomes may do in Postgres, and what they may not: each limit has its negative test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from fix_outcomes.storage import outbox
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message, confirm_fact, outcome_of
from places import Database
from shared.ids import new_id

OF_AN_ACCOUNT = (
    "sessions",
    "suggested_fixes",
    "messages",
    "facts",
    "journal",
    "command_log",
    "parked_commands",
)
TABLES = (*OF_AN_ACCOUNT, "outbox", "alembic_version")


@pytest.fixture
async def runtime(database: Database) -> AsyncIterator[Any]:
    async with as_role(database.runtime_url) as connection:
        yield connection


@pytest.fixture
async def relay(database: Database) -> AsyncIterator[Any]:
    async with as_role(database.relay_url) as connection:
        yield connection


@asynccontextmanager
async def as_role(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def refused(connection: Any, statement: str, *arguments: object) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement, *arguments)


async def fill(desk: Desk) -> UUID:
    """A row of this account in every table that holds any."""
    session = await desk.open_session()
    fix = await desk.suggest(session)
    await desk.ask(add_message(session))
    await desk.ask(confirm_fact(session))
    await desk.ask(outcome_of(session, fix, "applied_pending", "until tonight"))
    parked = desk.command(add_message(session))
    async with desk.engine.begin() as connection:
        await connection.exec_driver_sql(f"set local app.accounts = '{desk.account}'")
        await connection.exec_driver_sql(
            f"insert into parked_commands values ('{parked.command_id}', '{desk.account}', 'why', now())"
        )
    return session


@pytest.mark.parametrize("role", ["runtime", "relay"])
@pytest.mark.parametrize(
    "statement",
    [
        *(f"alter table {table} add column more text" for table in TABLES),
        *(f"alter table {table} disable row level security" for table in OF_AN_ACCOUNT),
        *(f"drop table {table}" for table in TABLES),
        *(f"truncate {table}" for table in TABLES),
        *(f"create trigger quiet before insert on {table} for each row"
          " execute function suppress_redundant_updates_trigger()" for table in OF_AN_ACCOUNT),
        "drop policy of_the_batch on sessions",
        "create table more (id int)",
        "create schema more",
        "create role more",
        "alter role fix_outcomes superuser",
        "alter role fix_outcomes bypassrls",
        "set role postgres",
        "select * from alembic_version",
        "copy sessions to program 'true'",
        "select pg_read_file('postgresql.conf')",
    ],
)  # fmt: skip
async def test_no_role_of_a_service_changes_what_the_database_is(
    request: pytest.FixtureRequest, database: Database, role: str, statement: str
) -> None:
    async with as_role(getattr(database, f"{role}_url")) as connection:
        await refused(connection, statement)


class TestRuntime:
    @pytest.mark.parametrize("table", ["journal", "command_log", "messages", "facts"])
    async def test_what_was_entered_is_neither_changed_nor_deleted(
        self, desk: Desk, runtime: Any, table: str
    ) -> None:
        await fill(desk)
        await runtime.execute("select set_config('app.accounts', $1, false)", str(desk.account))
        assert await runtime.fetchval(f"select count(*) from {table}") > 0
        await refused(runtime, f"update {table} set account_id = account_id")
        await refused(runtime, f"delete from {table}")

    @pytest.mark.parametrize("table", ["sessions", "suggested_fixes", "parked_commands"])
    async def test_nothing_else_is_deleted_either(self, runtime: Any, table: str) -> None:
        await refused(runtime, f"delete from {table}")

    @pytest.mark.parametrize(
        "statement",
        ["select * from outbox", "update outbox set published_at = now()", "delete from outbox"],
    )
    async def test_the_outbox_is_written_to_and_neither_read_nor_marked(
        self, runtime: Any, statement: str
    ) -> None:
        await refused(runtime, statement)

    @pytest.mark.parametrize("accounts", [None, ""])
    @pytest.mark.parametrize("table", OF_AN_ACCOUNT)
    async def test_who_acts_for_no_account_sees_nothing(
        self, desk: Desk, runtime: Any, table: str, accounts: str | None
    ) -> None:
        await fill(desk)
        if accounts is not None:
            await runtime.execute("select set_config('app.accounts', $1, false)", accounts)
        assert await runtime.fetch(f"select * from {table}") == []

    @pytest.mark.parametrize("table", OF_AN_ACCOUNT)
    async def test_who_acts_for_one_account_never_sees_another(
        self, desk: Desk, other_desk: Desk, runtime: Any, table: str
    ) -> None:
        await fill(desk)
        await fill(other_desk)
        await runtime.execute("select set_config('app.accounts', $1, false)", str(desk.account))

        seen = {row["account_id"] for row in await runtime.fetch(f"select account_id from {table}")}
        asked_for = await runtime.fetch(f"select * from {table} where account_id = $1", other_desk.account)

        assert seen == {desk.account}
        assert asked_for == []

    async def test_who_acts_for_two_accounts_sees_both_and_no_third(
        self, desk: Desk, other_desk: Desk, runtime: Any
    ) -> None:
        for each in (desk, other_desk, Desk(desk.engine, new_id())):
            await fill(each)
        both = f"{desk.account},{other_desk.account}"
        await runtime.execute("select set_config('app.accounts', $1, false)", both)
        seen = {row["account_id"] for row in await runtime.fetch("select account_id from sessions")}
        assert seen == {desk.account, other_desk.account}

    @pytest.mark.parametrize(
        "statement",
        [
            "insert into parked_commands values (gen_random_uuid(), $1, 'why', now())",
            "insert into command_log values (gen_random_uuid(), $1, 'f', 200, '{}', now(), now())",
            (
                "insert into sessions select gen_random_uuid(), $1, title, status, session_type, intake_type,"
                " intake_text, ticket, state_version, sequence, created_by, created_at, updated_at from sessions"
            ),
            "update sessions set account_id = $1",
            "update suggested_fixes set account_id = $1",
        ],
    )
    async def test_who_acts_for_one_account_writes_nothing_into_another(
        self, desk: Desk, other_desk: Desk, runtime: Any, statement: str
    ) -> None:
        await fill(desk)
        await runtime.execute("select set_config('app.accounts', $1, false)", str(desk.account))
        await refused(runtime, statement, other_desk.account)

    async def test_who_acts_for_one_account_changes_nothing_of_another(
        self, desk: Desk, other_desk: Desk, runtime: Any
    ) -> None:
        session = await fill(other_desk)
        await runtime.execute("select set_config('app.accounts', $1, false)", str(desk.account))
        for table, key in (("sessions", "id"), ("suggested_fixes", "session_id")):
            status = await runtime.execute(f"update {table} set updated_at = now() where {key} = $1", session)
            assert status == "UPDATE 0"

    async def test_the_accounts_of_a_transaction_end_with_it(self, desk: Desk) -> None:
        await desk.open_session()
        async with desk.engine.connect() as connection:
            seen = await connection.exec_driver_sql("select count(*) from sessions")
            assert seen.scalar_one() == 0


class TestRelay:
    @pytest.mark.parametrize("table", ["sessions", "suggested_fixes", "messages", "facts"])
    async def test_it_reads_nothing_that_people_wrote_in_sessions(self, relay: Any, table: str) -> None:
        await refused(relay, f"select * from {table}")

    async def test_it_reads_the_journal_of_every_account_to_publish_it(
        self, desk: Desk, other_desk: Desk, relay: Any
    ) -> None:
        await fill(desk)
        await fill(other_desk)
        waiting = await outbox.unpublished(relay, limit=100_000)
        assert {desk.account, other_desk.account} <= {row["account_id"] for row in waiting}

    @pytest.mark.parametrize(
        "statement",
        [
            "update journal set notes = null",
            "delete from journal",
            "insert into journal select * from journal",
            "insert into outbox (session_id, sequence) values (gen_random_uuid(), 1)",
            "update outbox set session_id = gen_random_uuid()",
            "update outbox set sequence = 1",
            "update command_log set status = 200",
            "insert into command_log select * from command_log",
            "update parked_commands set reason = ''",
        ],
    )
    async def test_it_marks_and_purges_and_writes_nothing_else(self, relay: Any, statement: str) -> None:
        await refused(relay, statement)
