"""What is known of one run, and the look-ups that several invariants need."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from shared.ids import keyed_id

from faults.history import Attempt, History
from faults.llm_log import Call
from faults.record import Record, Row
from faults.stored import Stored
from faults.subscriber import Received

Finding = str | None


@dataclass(frozen=True)
class Evidence:
    """Everything that is known of one run."""

    history: History
    record: Record
    events: Sequence[Received]
    stored: Sequence[Stored] = ()
    model_calls: Sequence[Call] = ()
    wants_faults: bool = True

    @cached_property
    def changes(self) -> tuple[Attempt, ...]:
        """Every attempt at a change."""
        return tuple(attempt for attempt in self.history.attempts if attempt.change)

    @cached_property
    def journal(self) -> dict[str, list[Row]]:
        """The entries of each session, by sequence."""
        sessions: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(self.record.tables["journal"], key=lambda row: row["sequence"]):
            sessions[row["session_id"]].append(row)
        return sessions

    @cached_property
    def entries(self) -> dict[str, list[Row]]:
        """The entries of each command."""
        return by(self.record.tables["journal"], "command_id")

    @cached_property
    def log(self) -> dict[str, list[Row]]:
        """The command log, by command."""
        return by(self.record.tables["command_log"], "command_id")

    @cached_property
    def entry_by_mark(self) -> dict[str, list[Row]]:
        """The entries whose notes name their attempt: those of commands without a key."""
        return by([row for row in self.record.tables["journal"] if row["notes"]], "notes")

    @cached_property
    def operations(self) -> dict[int, dict[str, Any]]:
        """What was last said about each queued attempt, by its number."""
        told: dict[int, dict[str, Any]] = {}
        for attempt in self.history.attempts:
            if attempt.request.about is not None and attempt.accepted:
                told[attempt.request.about] = attempt.result.answer
        return told

    def rows_of(self, attempt: Attempt) -> list[Row]:
        """The journal's entries of an attempt's command."""
        asked = attempt.request
        if asked.key is not None:
            return self.entries.get(command_id(attempt), [])
        return self.entry_by_mark.get(asked.mark or "", [])


def command_id(attempt: Attempt) -> str:
    """The id of a command that has an Idempotency-Key."""
    return str(keyed_id(UUID(attempt.request.account), attempt.request.key or ""))


def by(rows: Sequence[Row], column: str) -> dict[str, list[Row]]:
    """Rows by what they hold in a column."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return dict(found)


Invariant = Callable[[Evidence], Iterator[Finding]]
