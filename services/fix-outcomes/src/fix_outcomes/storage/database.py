"""Connections to Postgres: the pool, transactions on behalf of accounts, and which failures are an outage."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine


class Raw(Protocol):
    """The driver's own connection, inside a transaction."""

    async def fetch(self, query: str, *args: object) -> Sequence[Mapping[str, Any]]:
        """All rows."""

    async def execute(self, query: str, *args: object) -> str:
        """The command tag."""


_CONNECT_TIMEOUT_S = 5.0
_COMMAND_TIMEOUT_S = 30.0

_OUTAGES = (
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.InterfaceError,  # the connection is closed, or is being closed
    asyncpg.InternalClientError,  # the driver lost its place as the connection broke
    asyncpg.InsufficientResourcesError,  # class 53: disk full, out of memory, too many connections
    asyncpg.OperatorInterventionError,  # class 57: shutting down, starting up, cancelled
    asyncpg.TransactionRollbackError,  # class 40: deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, in the middle of a fail-over
    asyncpg.PostgresSystemError,  # class 58: the disk
    asyncpg.InvalidAuthorizationSpecificationError,  # class 28: a password is being changed
    asyncpg.InvalidCatalogNameError,  # the database is being restored
    asyncpg.UndefinedTableError,  # `database apply` has yet to be run
    asyncpg.UndefinedColumnError,
    OSError,
    TimeoutError,
    PoolTimeoutError,
)

_SETTINGS = {
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "10s",
    # A client whose machine has vanished is noticed within a minute, and what it locked is free.
    "tcp_keepalives_idle": "30s",
    "tcp_keepalives_interval": "10s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60s",
}

DRIVER = "postgresql+asyncpg://"

# One round trip; the text of UUIDs needs no quoting.
_BEGIN = "begin; set local app.accounts = '{accounts}'"
_COMMIT = "commit"
_UNDERSTAND = "prepare understood as {statement}; deallocate understood"


def is_outage(error: BaseException) -> bool:
    """Whether the database is away or overloaded: the same work will succeed later, nothing is wrong with it."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
    return isinstance(cause or error, _OUTAGES) or _lacks_right(cause)


def _lacks_right(error: object) -> bool:
    """Whether a right is missing that `database apply` grants. A row of another account has the same code."""
    refused_by = (
        error.server_source_function if isinstance(error, asyncpg.InsufficientPrivilegeError) else None
    )
    return str(refused_by).startswith("aclcheck_error")


def connect(url: str, *, name: str, connections: int, idle_s: int = 0) -> AsyncEngine:
    """A pool of at most `connections`, each made when first needed. `url` begins with postgresql://.

    `idle_s`: the server ends a connection that asks nothing for so long; 0: never.
    """
    return create_async_engine(
        DRIVER,
        # The driver reads the address itself: it knows sslmode, several hosts, and the rest of what libpq knows.
        async_creator=partial(
            asyncpg.connect,
            url,
            timeout=_CONNECT_TIMEOUT_S,
            command_timeout=_COMMAND_TIMEOUT_S,
            server_settings={
                **_SETTINGS,
                "application_name": name,
                "idle_session_timeout": f"{idle_s}s",
            },
        ),
        pool_size=connections,
        max_overflow=0,
        json_deserializer=orjson.loads,
        pool_timeout=_CONNECT_TIMEOUT_S,
    )


@asynccontextmanager
async def raw_transaction(engine: AsyncEngine, accounts: Iterable[UUID]) -> AsyncIterator[Raw]:
    """A transaction on the driver itself, for the hot path; it sees the rows of these accounts alone.

    Where anything fails, its connection is closed, which ends the transaction whatever state it is in.
    """
    async with engine.connect() as connection:
        try:
            driver = await driver_of(connection)
            await driver.execute(_BEGIN.format(accounts=_joined(accounts)))
            yield driver
            await driver.execute(_COMMIT)
        except BaseException:
            await connection.invalidate()
            raise


@asynccontextmanager
async def raw(engine: AsyncEngine) -> AsyncIterator[Raw]:
    """A connection's driver without a transaction: each statement commits by itself."""
    async with engine.connect() as connection:
        yield await driver_of(connection)


async def driver_of(connection: AsyncConnection) -> Raw:
    """The driver's own connection, in whatever transaction this one is."""
    driver: Raw = (await connection.get_raw_connection()).driver_connection  # type: ignore[assignment]
    return driver


@asynccontextmanager
async def reading(engine: AsyncEngine, accounts: Iterable[UUID]) -> AsyncIterator[AsyncConnection]:
    """A read-only transaction that sees one moment, and the rows of these accounts alone."""
    async with engine.connect() as plain:
        connection = await plain.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        async with connection.begin():
            statement = text("select set_config('app.accounts', :accounts, true)")
            await connection.execute(statement, {"accounts": _joined(accounts)})
            yield connection


async def understands(engine: AsyncEngine, statement: str, *, timeout_s: float) -> bool:
    """Whether the database answers within the time, and has the tables and columns that a statement names."""
    try:
        async with asyncio.timeout(timeout_s), raw(engine) as connection:
            # In one go: the driver's own way of preparing keeps its locks until the connection is used again.
            await connection.execute(_UNDERSTAND.format(statement=statement))
    except Exception as error:
        if is_outage(error):
            return False
        raise
    return True


def _joined(accounts: Iterable[UUID]) -> str:
    return ",".join(sorted({str(account) for account in accounts}))
