"""The record's two stores, the real one and the simulation's, and what a test may look at in either of them."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

from faults.simulation.network import Network, Weather
from faults.simulation.postgres import Postgres
from sqlalchemy.ext.asyncio import AsyncEngine

Row = dict[str, Any]

_JSON: Final = frozenset({"author", "actor", "data"})


class Look(Protocol):
    """What lies in a store, whoever it belongs to."""

    async def rows(self, table: str, **where: object) -> list[Row]:
        """The rows with these values, as the services' driver decodes them."""
        ...

    async def forget_answer(self, command_id: object) -> None:
        """The command log forgets a command."""
        ...

    async def someone_waits(self) -> bool:
        """Whether a transaction waits for another's lock."""
        ...


@dataclass(frozen=True, slots=True)
class Store:
    """A store under test."""

    engine: AsyncEngine
    look: Look


@dataclass(frozen=True, slots=True)
class RealLook:
    """Through the owner's connections, who see everything."""

    owner: Any

    async def rows(self, table: str, **where: object) -> list[Row]:
        conditions = " and ".join(f"{name} = ${number}" for number, name in enumerate(where, 1))
        found = await self.owner.fetch(f"select * from {table} where {conditions}", *where.values())
        return [
            {name: json.loads(value) if name in _JSON else value for name, value in row.items()}
            for row in found
        ]

    async def forget_answer(self, command_id: object) -> None:
        await self.owner.execute("delete from command_log where command_id = $1", command_id)

    async def someone_waits(self) -> bool:
        found: bool = await self.owner.fetchval(
            "select exists (select from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock')"
        )
        return found


@dataclass(frozen=True, slots=True)
class MemoryLook:
    """Straight into the tables."""

    server: Postgres

    async def rows(self, table: str, **where: object) -> list[Row]:
        rows = self.server.tables.rows[table].values()
        return [row for row in rows if all(row[name] == value for name, value in where.items())]

    async def forget_answer(self, command_id: object) -> None:
        for row in await self.rows("command_log", command_id=command_id):
            self.server.tables.delete("command_log", row)

    async def someone_waits(self) -> bool:
        return self.server.tables.waiting


def in_memory() -> Store:
    """The simulation's store, on a network without delays."""
    server = Postgres(Network(Random(0), Weather(instant=1.0)))
    return Store(server.engine(), MemoryLook(server))  # type: ignore[arg-type]
