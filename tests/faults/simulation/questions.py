"""What fix-outcomes answers to questions, from the in-memory tables: the same views, without the SQL."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from fix_outcomes.domain import views
from fix_outcomes.domain.model import Fix, Session
from fix_outcomes.domain.refusals import Refused, not_found
from fix_outcomes.storage import rows
from shared.contracts import queries
from shared.contracts.answers import Answer

from faults.simulation.postgres import Postgres
from faults.simulation.tables import Row

Body = dict[str, Any]

_GUESSES: Final = frozenset({"fix.outcome_proposed", "fix.outcome_proposal_cleared"})
_CLOSINGS: Final = frozenset({"session.resolved", "session.escalated"})


class Questions:
    """Stands in for `handlers.answer`."""

    def __init__(self, server: Postgres) -> None:
        self._server = server

    async def answer(self, batch: Sequence[queries.Query]) -> list[Answer]:
        """The answers, as of one moment. Raises what is an outage."""
        await self._server.network.hop()
        if not self._server.up:
            raise ConnectionRefusedError("the database is away")
        return [self._answer(query) for query in batch]

    def _answer(self, query: queries.Query) -> Answer:
        try:
            body = _ANSWERS[type(query.question)](self, query.account_id, query.question)
        except Refused as refusal:
            return Answer(ref=query.ref, status=refusal.status, body=dict(refusal.body))
        return Answer(ref=query.ref, status=200, body=body)

    def session(self, account: UUID, ask: queries.GetSession) -> Body:
        session = self._session(account, ask.session_id)
        return views.session(session, self._fixes(session))

    def operation(self, account: UUID, ask: queries.GetOperation) -> Body:
        row = self._rows("command_log").get(("command_log", ask.command_id))
        if row is not None and row["account_id"] == account:
            return {
                "state": "succeeded" if row["status"] < 400 else "rejected",
                "http_status": row["status"],
                "answer": row["answer"],
                "accepted_at": row["accepted_at"].isoformat(),
            }
        if any(each["command_id"] == ask.command_id for each in self._rows("journal").values()):
            return {"state": "succeeded"}
        if ("parked_commands", ask.command_id) in self._rows("parked_commands"):
            return {"state": "parked"}
        raise not_found()

    def snapshot(self, account: UUID, ask: queries.GetSnapshot) -> Body:
        session = self._session(account, ask.session_id)
        said = list(self._of("messages", session))
        changes = (
            row
            for row in self._of("journal", session)
            if (row["fix_id"] is not None or row["kind"] in _CLOSINGS) and row["kind"] not in _GUESSES
        )
        return {
            "session": views.session(session),
            "fixes": [
                views.fix(fix, session) | {"ai_outcome_proposal": None} for fix in self._fixes(session)
            ],
            "messages": [views.message(rows.message(row)) for row in said],
            "message_count": len(said),
            "facts": [views.fact(rows.fact(row)) for row in self._of("facts", session)],
            "transitions": [rows.history_entry(row) for row in changes],
        }

    def _rows(self, table: str) -> Mapping[tuple[object, ...], Row]:
        return self._server.tables.rows[table]

    def _session(self, account: UUID, session_id: UUID) -> Session:
        row = self._rows("sessions").get(("sessions", session_id))
        if row is None or row["account_id"] != account:
            raise not_found()
        return rows.session(row)

    def _fixes(self, session: Session) -> list[Fix]:
        fixes = [row for row in self._rows("suggested_fixes").values() if row["session_id"] == session.id]
        return [rows.fix(row) for row in sorted(fixes, key=lambda row: (row["created_at"], row["id"]))]

    def _of(self, table: str, session: Session) -> Iterator[Row]:
        found = [row for row in self._rows(table).values() if row["session_id"] == session.id]
        return iter(sorted(found, key=lambda row: row["sequence"]))


_ANSWERS: Final[Mapping[type, Callable[[Questions, UUID, Any], Body]]] = {
    queries.GetSession: Questions.session,
    queries.GetOperation: Questions.operation,
    queries.GetSnapshot: Questions.snapshot,
}
