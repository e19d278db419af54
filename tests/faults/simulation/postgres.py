"""A Postgres in memory, behind the driver's interface: fix-outcomes' storage runs on it as on the real one.

It can be away, and its connections can break at any moment: before a statement is done, or after a commit is done and
before its answer arrives.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

import asyncpg
from fix_outcomes.storage import database

from faults.simulation.loop import Process, here
from faults.simulation.network import Network
from faults.simulation.statements import Statements
from faults.simulation.tables import Row, Tables

_BEGIN = re.compile(re.escape(database._BEGIN).replace(re.escape("{accounts}"), "(?P<accounts>.*)"))


class Postgres:
    """The server: its tables, and who is connected."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.tables = Tables()
        self.up = True
        self.backends: list[Backend] = []

    def engine(self) -> "Engine":
        """A pool of connections, for one process."""
        return Engine(self)

    def disconnect(self, process: Process | None = None) -> None:
        """End the connections of a process, or all; what was not committed never was."""
        for backend in list(self.backends):
            if process is None or backend.process is process:
                backend.end()

    def crash(self) -> None:
        """Be away, until `up` again; what is committed stays."""
        self.up = False
        self.disconnect()


class Backend:
    """One connection, as the server sees it and as the driver gives it."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self.process = here()
        self.ended = False
        self._statements: Statements | None = None
        server.backends.append(self)

    def end(self) -> None:
        """The connection is gone: roll back, free all locks."""
        self.ended = True
        if self in self._server.backends:
            self._server.backends.remove(self)
        if self._statements is not None:
            self._server.tables.settle(self._statements.transaction, committed=False)
            self._statements = None
        if self._server.tables.leader is self:
            self._server.tables.leader = None

    async def fetch(self, query: str, *arguments: object) -> Sequence[Row]:
        """Run a statement, in the transaction or in one of its own."""
        await self._hop()
        if self._statements is not None:
            rows = await self._statements.run(query, *arguments)
            self._check()
            return rows
        alone = Statements(self._server.tables, self)
        try:
            rows = await alone.run(query, *arguments)
        except BaseException:
            self._server.tables.settle(alone.transaction, committed=False)
            raise
        self._server.tables.settle(alone.transaction, committed=True)
        return rows

    async def execute(self, query: str, *arguments: object) -> str:
        """Begin, commit, or run a statement whose rows nobody wants."""
        if begun := _BEGIN.fullmatch(query):
            await self._hop()
            self._statements = Statements(self._server.tables, self)
            self._statements.see(begun["accounts"])
        elif query == database._COMMIT:
            await self._commit()
        else:
            await self.fetch(query, *arguments)
        return "OK"

    async def _commit(self) -> None:
        """All of it; then the answer, which may be lost."""
        await self._hop()
        assert self._statements is not None
        self._server.tables.settle(self._statements.transaction, committed=True)
        self._statements = None
        await self._hop()

    async def _hop(self) -> None:
        await self._server.network.hop()
        self._check()

    def _check(self) -> None:
        if self.ended:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


class Engine:
    """As much of SQLAlchemy's engine as fix-outcomes' storage uses."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._idle: list[Backend] = []

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["Pooled"]:
        """A connection from the pool, given back afterwards."""
        backend = await self._backend()
        pooled = Pooled(backend)
        try:
            yield pooled
        finally:
            if not backend.ended:
                self._idle.append(backend)

    async def _backend(self) -> Backend:
        while self._idle:
            if not (backend := self._idle.pop()).ended:
                return backend
        await self._server.network.hop()
        if not self._server.up:
            raise ConnectionRefusedError("the database is away")
        return Backend(self._server)

    async def dispose(self) -> None:
        """End all connections that are not in use."""
        for backend in self._idle:
            backend.end()


class Pooled:
    """A connection of the pool."""

    def __init__(self, backend: Backend) -> None:
        self.driver_connection = backend

    async def get_raw_connection(self) -> Self:
        """The driver's own is inside."""
        return self

    async def invalidate(self) -> None:
        """Do not give it back."""
        self.driver_connection.end()
