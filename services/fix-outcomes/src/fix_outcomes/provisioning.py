"""`database apply`: the roles and the tables, made to be as this version needs them. Safe to run again."""

import asyncio
from functools import partial
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from fix_outcomes.storage.database import DRIVER

AWAY: Final = (OSError, asyncpg.PostgresError)
"""What connecting to a Postgres may raise: it is not there, or lets us not in."""

_LOCK: Final = 7_261_000
_ROLES: Final = ("fix_outcomes", "fix_outcomes_relay")


async def apply(url: SecretStr, passwords: dict[str, SecretStr]) -> None:
    """Make the roles with these passwords, and migrate to the newest revision."""
    await migrate(url, "head", passwords=passwords)


async def migrate(url: SecretStr, revision: str, *, passwords: dict[str, SecretStr] | None = None) -> None:
    """Move the database to a revision, up or down: `head`, `base`, `0001`, `-1`. One at a time does it."""
    engine = create_async_engine(DRIVER, async_creator=partial(asyncpg.connect, url.get_secret_value()))
    try:
        async with engine.connect() as connection:
            await connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
            if passwords is not None:
                await _make_roles(connection, passwords)
            await connection.commit()
            await connection.run_sync(_run_alembic, revision)
            await connection.commit()
    finally:
        await engine.dispose()


async def _make_roles(connection: AsyncConnection, passwords: dict[str, SecretStr]) -> None:
    for role in _ROLES:
        there = await connection.execute(text("select 1 from pg_roles where rolname = :role"), {"role": role})
        verb = "alter" if there.first() else "create"
        await _run_formatted(
            connection,
            "format('%s role %I login nosuperuser nocreatedb nocreaterole nobypassrls password %L', :verb, :role, :pw)",
            {"verb": verb, "role": role, "pw": passwords[role].get_secret_value()},
        )
        await _run_formatted(
            connection,
            "format('grant connect on database %I to %I', current_database(), :role)",
            {"role": role},
        )


async def _run_formatted(connection: AsyncConnection, expression: str, values: dict[str, str]) -> None:
    """Postgres quotes the names and literals itself: roles take no parameters."""
    casts = ", ".join(f"cast(:{name} as text) as {name}" for name in values)
    for name in values:
        expression = expression.replace(f":{name}", f"v.{name}")
    statement = await connection.execute(text(f"select {expression} from (select {casts}) v"), values)  # noqa: S608
    await connection.exec_driver_sql(statement.scalar_one())


def _run_alembic(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "fix_outcomes:migrations")
    config.attributes["connection"] = connection
    downwards = revision == "base" or revision.startswith("-")
    (command.downgrade if downwards else command.upgrade)(config, revision)


def run(url: SecretStr, passwords: dict[str, SecretStr]) -> None:
    """`apply`, from a command line."""
    asyncio.run(apply(url, passwords))
