"""The outcomes by kind, and what is written where."""

from uuid import UUID

from fix_outcomes_doubles import Record

OUTCOMES = ("applied_pending", "applied_partial", "applied_success", "applied_failed", "dismissed")


FINAL = ("applied_success", "applied_failed", "dismissed")


PARKED = ("applied_pending", "applied_partial")


COLUMNS = ("pending_reason", "partial_notes", "failure_reason")


def columns(record: Record, fix: UUID) -> dict[str, str | None]:
    """The columns with notes that are not empty."""
    row = record.fixes[fix]
    return {name: getattr(row, name) for name in COLUMNS if getattr(row, name) is not None}
