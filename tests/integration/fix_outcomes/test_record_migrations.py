"""The migrations: every revision up and down, and at the end the tables that the queries name."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from devstack.database import with_path
from devstack.servers import Servers
from fix_outcomes import provisioning
from fix_outcomes.storage.tables import metadata
from fix_outcomes_desk import Desk
from places import ROLES, Database
from pydantic import SecretStr
from shared.ids import new_id
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

_CONFIG = Config()
_CONFIG.set_main_option("script_location", "fix_outcomes:migrations")
REVISIONS = [script.revision for script in ScriptDirectory.from_config(_CONFIG).walk_revisions()][::-1]

_SCHEMA = """
select 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable as what
from information_schema.columns where table_schema = 'public' and table_name <> 'alembic_version'
union all select 'index ' || indexdef from pg_indexes
where schemaname = 'public' and tablename <> 'alembic_version'
union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
where connamespace = 'public'::regnamespace and conrelid <> 'alembic_version'::regclass
union all select 'policy ' || tablename || ' ' || policyname || ' ' || roles::text || coalesce(qual, '')
from pg_policies
union all select 'right ' || grantee || ' ' || privilege_type || ' ' || table_name || '.' || column_name
from information_schema.column_privileges
where table_schema = 'public' and grantee like 'fix_outcomes%' and table_name <> 'alembic_version'
union all select 'secured ' || relname from pg_class where relrowsecurity
order by 1
"""


@pytest.fixture
async def empty(servers: Servers, database: Database) -> AsyncIterator[SecretStr]:
    """A database with nothing in it. (The roles are there: `database` has made them.)"""
    name = f"rf_{new_id().hex[-8:]}"
    owner = await asyncpg.connect(servers.database_url)
    await owner.execute(f"create database {name}")
    yield SecretStr(with_path(servers.database_url, f"/{name}"))
    await owner.execute(f"drop database {name} with (force)")
    await owner.close()


async def schema(url: SecretStr) -> list[str]:
    """All that the migrations make, in words."""
    connection = await asyncpg.connect(url.get_secret_value())
    try:
        if await connection.fetchval("select to_regclass('alembic_version') is null"):
            return []
        return [row["what"] for row in await connection.fetch(_SCHEMA)]
    finally:
        await connection.close()


async def test_every_revision_goes_up_and_comes_down_to_what_was_before(empty: SecretStr) -> None:
    before = [await schema(empty)]
    for revision in REVISIONS:
        await provisioning.migrate(empty, revision)
        before.append(await schema(empty))
        assert before[-1] != before[-2]
    for at_revision in before[-2::-1]:
        await provisioning.migrate(empty, "-1")
        assert await schema(empty) == at_revision


async def test_down_to_nothing_and_up_again_is_the_same(empty: SecretStr) -> None:
    await provisioning.migrate(empty, "head")
    first = await schema(empty)
    await provisioning.migrate(empty, "base")
    assert await schema(empty) == []
    await provisioning.migrate(empty, "head")
    assert await schema(empty) == first


async def test_there_is_one_newest_revision() -> None:
    assert len(ScriptDirectory.from_config(_CONFIG).get_heads()) == 1


async def test_the_tables_that_the_queries_name_are_those_that_the_migrations_make(
    database: Database,
) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, metadata)
        return [
            each
            for each in found
            if "index" not in each[0] and "constraint" not in each[0] and "fk" not in each[0]
        ]

    engine = create_async_engine(database.admin_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        left = await connection.run_sync(differences)
    await engine.dispose()
    tables = {each[1].name for each in left if each[0] == "remove_table"}
    assert [each for each in left if each[0] != "remove_table"] == []
    assert tables <= {"alembic_version"}


async def test_the_columns_are_in_the_order_in_which_rows_are_unfolded(
    database: Database, owner: Any
) -> None:
    for table in metadata.sorted_tables:
        found = await owner.fetch(
            "select column_name from information_schema.columns where table_name = $1"
            " and table_schema = 'public' order by ordinal_position",
            table.name,
        )
        assert [row["column_name"] for row in found] == [column.name for column in table.columns]


async def test_applying_again_changes_nothing_and_keeps_what_is_there(database: Database, desk: Desk) -> None:
    admin = SecretStr(database.admin_url)
    session = await desk.open_session()
    before = await schema(admin)

    await provisioning.apply(admin, ROLES)

    assert await schema(admin) == before
    connection = await asyncpg.connect(database.admin_url)
    assert await connection.fetchval("select count(*) from sessions where id = $1", session) == 1
    await connection.close()


async def test_two_that_apply_at_once_both_succeed(empty: SecretStr, database: Database) -> None:
    await asyncio.gather(*(provisioning.apply(empty, ROLES) for _ in range(3)))
    assert await schema(empty) == await schema(SecretStr(database.admin_url))


async def test_applying_sets_the_passwords_anew_whatever_is_in_them(
    servers: Servers, database: Database
) -> None:
    awkward = 'it\'s \\ a "pass%word" :with $1 {and} ü'
    await provisioning.apply(
        SecretStr(database.admin_url), ROLES | {"fix_outcomes_relay": SecretStr(awkward)}
    )
    try:
        connection = await asyncpg.connect(database.relay_url, password=awkward)
        assert await connection.fetchval("select current_user") == "fix_outcomes_relay"
        await connection.close()
    finally:
        await provisioning.apply(SecretStr(database.admin_url), ROLES)


async def test_the_roles_can_do_nothing_for_the_whole_server(owner: Any) -> None:
    found = await owner.fetch("select * from pg_roles where rolname like 'fix\\_outcomes%'")
    assert len(found) == 2
    for role in found:
        powers = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")
        assert not any(role[power] for power in powers)


async def test_a_migration_leaves_the_lock_free(database: Database) -> None:
    engine = create_async_engine(database.admin_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        held = await connection.execute(
            text(
                "select count(*) from pg_locks where locktype = 'advisory'"
                " and database = (select oid from pg_database"
                " where datname = current_database())"
            )
        )
        assert held.scalar_one() == 0
    await engine.dispose()
