"""The rows of the in-memory Postgres: what is committed, who holds what, and who waits for it.

Only as much of Postgres as the product relies on: read committed, row locks, unique keys that wait for each other,
an advisory lock that dies with its connection. Row-level security too: a transaction sees its own accounts alone.
"""

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
from fix_outcomes.storage import tables
from sqlalchemy import DateTime, Table, Uuid

Row = dict[str, Any]
Key = tuple[object, ...]

_LOCK_TIMEOUT_S: Final = 10.0

TABLES: Final[Mapping[str, Table]] = tables.metadata.tables
_ALSO_UNIQUE: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "journal": (("command_id",),),
    "messages": (("session_id", "sequence"),),
    "facts": (("session_id", "sequence"),),
}
_KEYS: Final = {
    name: (tuple(column.name for column in table.primary_key), *_ALSO_UNIQUE.get(name, ()))
    for name, table in TABLES.items()
}
_COLUMNS: Final = {name: tuple(column.name for column in table.columns) for name, table in TABLES.items()}
_UUIDS: Final = {
    name: tuple(column.name for column in table.columns if isinstance(column.type, Uuid))
    for name, table in TABLES.items()
}
_TIMES: Final = {
    name: tuple(column.name for column in table.columns if isinstance(column.type, DateTime))
    for name, table in TABLES.items()
}


def rows_of(table: str, recordset: str) -> Iterator[Row]:
    """What `json_populate_recordset(null::table, recordset)` gives: its columns, in their types."""
    for value in orjson.loads(recordset):
        row = {name: value.get(name) for name in _COLUMNS[table]}
        for name in _UUIDS[table]:
            row[name] = row[name] and _uuid(row[name])
        for name in _TIMES[table]:
            row[name] = row[name] and datetime.fromisoformat(row[name])
        yield row


_uuid = lru_cache(maxsize=4_096)(UUID)


class Tables:
    """What is committed."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Key, Row]] = {name: {} for name in TABLES}
        self.positions = itertools.count(1)
        self.leader: object | None = None
        self._taken: dict[Key, object] = {}
        self._claims: dict[Key, Transaction] = {}
        self._freed: dict[Key, list[asyncio.Future[None]]] = {}

    async def claim(self, key: Key, by: "Transaction") -> None:
        """Hold a row or a key until the transaction ends; whoever holds it now goes first. Raises LockNotAvailable."""
        while (holder := self._claims.get(key)) is not None and holder is not by:
            waiting = asyncio.get_running_loop().create_future()
            self._freed.setdefault(key, []).append(waiting)
            try:
                async with asyncio.timeout(_LOCK_TIMEOUT_S):
                    await waiting
            except TimeoutError:
                raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout") from None
        if by.ended:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        self._claims[key] = by
        by.claims.append(key)

    @property
    def waiting(self) -> bool:
        """Whether a transaction waits for another's lock."""
        return any(not each.done() for waiting in self._freed.values() for each in waiting)

    def is_taken(self, key: Key) -> bool:
        """Whether a committed row has this unique key."""
        return key in self._taken

    def settle(self, transaction: "Transaction", *, committed: bool) -> None:
        """The end of a transaction: its rows are there, or never were; what it held is free."""
        if committed:
            for table, row in transaction.changes:
                self.put(table, row)
        for key in transaction.claims:
            if self._claims.get(key) is transaction:
                del self._claims[key]
            for waiting in self._freed.pop(key, ()):
                if not waiting.done():
                    waiting.set_result(None)
        transaction.ended = True

    def put(self, table: str, row: Row) -> None:
        """A committed row, new or in a new state."""
        first, *_ = keys = [(table, *(row[name] for name in key)) for key in _KEYS[table]]
        self.rows[table][first] = row
        for key in keys:
            self._taken[key] = row

    def delete(self, table: str, row: Row) -> None:
        """A committed row is gone."""
        for key in _KEYS[table]:
            self._taken.pop((table, *(row[name] for name in key)), None)
        self.rows[table].pop((table, *(row[name] for name in _KEYS[table][0])), None)


class Transaction:
    """What one connection has changed and holds, until it commits or not."""

    def __init__(self, there: Tables) -> None:
        self._there = there
        self.accounts: frozenset[UUID] | None = None
        self.changes: list[tuple[str, Row]] = []
        self.claims: list[Key] = []
        self._inserted: set[Key] = set()
        self.ended = False

    def visible(self, table: str) -> Iterator[Row]:
        """The rows that this transaction sees: committed by now, or its own; of its accounts alone."""
        own = {self._first(name, row): row for name, row in self.changes if name == table}
        found: Iterable[Row] = (
            ({**self._there.rows[table], **own}).values() if own else self._there.rows[table].values()
        )
        return (row for row in found if self.may(row))

    def may(self, row: Row) -> bool:
        """Row-level security; the outbox has none."""
        return self.accounts is None or "account_id" not in row or row["account_id"] in self.accounts

    async def insert(self, table: str, row: Row) -> None:
        """A new row. Waits for whoever is about to insert the same key; raises UniqueViolationError after them."""
        if not self.may(row):
            raise asyncpg.InsufficientPrivilegeError(f"new row violates row-level security for {table}")
        for names in _KEYS[table]:
            key = (table, *(row[name] for name in names))
            await self._there.claim(key, self)
            if self._there.is_taken(key) or key in self._inserted:
                raise asyncpg.UniqueViolationError(f"duplicate key in {table}: {names}")
            self._inserted.add(key)
        self.changes.append((table, row))

    def change(self, table: str, row: Row) -> None:
        """An existing row in a new state."""
        self.changes.append((table, row))

    @staticmethod
    def _first(table: str, row: Row) -> Key:
        return table, *(row[name] for name in _KEYS[table][0])
