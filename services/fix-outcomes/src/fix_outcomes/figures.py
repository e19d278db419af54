"""What is counted of the record: batches, entries of the journal, outcomes, and how long verdicts took."""

from collections.abc import Iterable
from functools import cache
from typing import Final

from prometheus_client import Counter, Histogram
from shared.contracts.events import OutcomeRecorded

from fix_outcomes.domain.model import Entry

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

COMMAND_SECONDS: Final = Histogram(
    "rf_command_batch_seconds",
    "Seconds from a message of commands to its commit, outages included",
    buckets=_BUCKETS,
)
QUESTION_SECONDS: Final = Histogram(
    "rf_question_batch_seconds", "Seconds from a message of questions to its answers", buckets=_BUCKETS
)
ENTRIES: Final = Counter("rf_journal_entries_total", "Entries written to the journal", ["kind"])
OUTCOMES: Final = Counter("rf_outcomes_recorded_total", "Outcomes recorded", ["outcome"])
TIME_TO_VERIFY: Final = Histogram(
    "rf_time_to_verify_seconds",
    "Seconds from the application of a fix to the verdict on it",
    ["outcome"],
    buckets=(
        _MINUTE,
        5 * _MINUTE,
        15 * _MINUTE,
        _HOUR,
        4 * _HOUR,
        8 * _HOUR,
        _DAY,
        2 * _DAY,
        7 * _DAY,
        30 * _DAY,
    ),
)
PARKED: Final = Counter("rf_commands_parked_total", "Commands that were parked, by whomever")

_entries = cache(ENTRIES.labels)
_outcomes = cache(OUTCOMES.labels)
_time_to_verify = cache(TIME_TO_VERIFY.labels)


def count(entries: Iterable[Entry]) -> None:
    """Count what was committed."""
    for entry in entries:
        _entries(entry.kind).inc()
        if isinstance(entry.data, OutcomeRecorded):
            _count_outcome(entry.data)


def _count_outcome(recorded: OutcomeRecorded) -> None:
    _outcomes(recorded.to).inc()
    if recorded.verified_at is not None and recorded.applied_at is not None:
        seconds = (recorded.verified_at - recorded.applied_at).total_seconds()
        _time_to_verify(recorded.to).observe(seconds)
