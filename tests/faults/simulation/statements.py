"""What each statement of fix-outcomes' storage does, by its own text: one that is not known here is an error."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from fix_outcomes.storage import commands, outbox

from faults.simulation.tables import Row, Tables, Transaction, rows_of

Statement = Callable[..., Awaitable[Sequence[Row]]]

_UNFINISHED: Final = frozenset({"proposed", "applied_pending", "applied_partial"})
_SESSION_CHANGES: Final = ("status", "state_version", "sequence", "updated_at")
_FIX_CHANGES: Final = (
    "status",
    "applied_at",
    "verified_at",
    "partial_notes",
    "pending_reason",
    "failure_reason",
    "ai_outcome_proposal",
    "superseded_at",
    "updated_at",
)


class Statements:
    """The statements on one connection's transaction."""

    def __init__(self, there: Tables, connection: object) -> None:
        self._there, self._connection = there, connection
        self.transaction = Transaction(there)

    async def run(self, query: str, *arguments: Any) -> Sequence[Row]:
        """The rows that a statement gives. Raises NotImplementedError where nobody has said what it does."""
        try:
            statement = _STATEMENTS[query]
        except KeyError:
            raise NotImplementedError(f"the in-memory store has no {query}") from None
        return await statement(self, *arguments)

    def see(self, joined: str) -> None:
        """Let the transaction see the rows of these accounts alone."""
        self.transaction.accounts = frozenset(UUID(account) for account in joined.split(",") if account)

    async def lock_sessions(self, accounts: Sequence[UUID], ids: Sequence[UUID]) -> Sequence[Row]:
        for session_id in sorted(ids):
            await self._there.claim(("locked", session_id), self.transaction)
        return self._found("sessions", accounts, lambda row: row["id"] in ids, order="id")

    async def fixes_and_answers(
        self,
        accounts: Sequence[UUID],
        sessions: Sequence[UUID],
        fixes: Sequence[UUID],
        commands: Sequence[UUID],
    ) -> Sequence[Row]:
        def wanted(row: Row) -> bool:
            open_ = row["superseded_at"] is None and row["status"] in _UNFINISHED
            return row["session_id"] in sessions and (row["id"] in fixes or open_)

        return [
            {
                "fixes": self._found("suggested_fixes", accounts, wanted, order="created_at"),
                "answers": self._found("command_log", accounts, lambda row: row["command_id"] in commands),
                "entered": [
                    (row["account_id"], row["command_id"])
                    for row in self._found("journal", accounts, lambda row: row["command_id"] in commands)
                ],
            }
        ]

    async def write(self, *recordsets: str) -> Sequence[Row]:
        new_sessions, sessions, new_fixes, fixes, messages, facts, entries, log = recordsets
        await self._insert("sessions", new_sessions)
        self._change("sessions", sessions, _SESSION_CHANGES)
        await self._insert("suggested_fixes", new_fixes)
        self._change("suggested_fixes", fixes, _FIX_CHANGES)
        await self._insert("messages", messages)
        await self._insert("facts", facts)
        await self._insert("journal", entries)
        for row in rows_of("outbox", entries):
            await self.transaction.insert("outbox", row | {"position": next(self._there.positions)})
        await self._insert("command_log", log)
        return ()

    async def remember_parked(
        self, ids: Sequence[UUID], accounts: Sequence[UUID], reason: str, at: datetime
    ) -> Sequence[Row]:
        for command, account in zip(ids, accounts, strict=True):
            row = {"command_id": command, "account_id": account, "reason": reason, "parked_at": at}
            self.transaction.change("parked_commands", row)
        return ()

    async def become_leader(self, _number: int) -> Sequence[Row]:
        if self._there.leader in (None, self._connection):
            self._there.leader = self._connection
        return [{"held": self._there.leader is self._connection}]

    async def unpublished(self, limit: int, without: Sequence[UUID]) -> Sequence[Row]:
        journal = self._there.rows["journal"]
        waiting = [
            row
            for row in self.transaction.visible("outbox")
            if row["published_at"] is None and row["session_id"] not in without
        ]
        waiting.sort(key=lambda row: row["position"])
        return [journal["journal", row["session_id"], row["sequence"]] | row for row in waiting[:limit]]

    async def mark(self, positions: Sequence[int]) -> Sequence[Row]:
        now = datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)
        for row in list(self.transaction.visible("outbox")):
            if row["position"] in positions and row["published_at"] is None:
                self.transaction.change("outbox", row | {"published_at": now})
        return ()

    async def lag(self, _most: int) -> Sequence[Row]:
        waiting = [row for row in self.transaction.visible("outbox") if row["published_at"] is None]
        return [{"rows": len(waiting), "seconds": 0.0}]

    async def touch(self) -> Sequence[Row]:
        return ()

    async def purge_nothing(self, *_arguments: object) -> Sequence[Row]:
        return [{"rows": 0}]

    def _found(
        self,
        table: str,
        accounts: Iterable[UUID],
        wanted: Callable[[Row], bool],
        *,
        order: str | None = None,
    ) -> Sequence[Row]:
        found = [
            row for row in self.transaction.visible(table) if row["account_id"] in accounts and wanted(row)
        ]
        return sorted(found, key=lambda row: (row[order], row["id"])) if order else found

    async def _insert(self, table: str, recordset: str) -> None:
        for row in rows_of(table, recordset):
            await self.transaction.insert(table, row)

    def _change(self, table: str, recordset: str, columns: Sequence[str]) -> None:
        changed = {row["id"]: row for row in rows_of(table, recordset)}
        for row in list(self.transaction.visible(table)) if changed else ():
            if new := changed.get(row["id"]):
                self.transaction.change(table, row | {name: new[name] for name in columns})


_STATEMENTS: Final[dict[str, Statement]] = {
    commands._LOCK_SESSIONS: Statements.lock_sessions,
    commands._FIXES_AND_ANSWERS: Statements.fixes_and_answers,
    commands.WRITE: Statements.write,
    commands._PARKED: Statements.remember_parked,
    outbox._BECOME_LEADER: Statements.become_leader,
    outbox._TOUCH: Statements.touch,
    outbox._UNPUBLISHED: Statements.unpublished,
    outbox._MARK: Statements.mark,
    outbox._LAG: Statements.lag,
    outbox._PURGE_PUBLISHED: Statements.purge_nothing,
    outbox._PURGE_ANSWERS: Statements.purge_nothing,
    outbox._PURGE_NOTICES: Statements.purge_nothing,
}
