"""The table at the end: one line for each run."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from faults.experiment import Outcome
from faults.history import Attempt, Fault
from faults.invariants.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened to the changes of a run."""

    operations: int
    acked: int
    unknown: int
    retried: int
    absorbed: int
    recovery_s: float

    @classmethod
    def of(cls, evidence: Evidence) -> "Figures":
        """Counted from its history, its log and the events received."""
        changes = evidence.changes
        operations = {attempt.request.operation for attempt in changes}
        acked = {attempt.request.operation for attempt in changes if attempt.accepted}
        return cls(
            operations=len(operations),
            acked=len(acked),
            unknown=sum(attempt.unknown for attempt in changes),
            retried=len(changes) - len(operations),
            absorbed=_absorbed(evidence),
            recovery_s=max((_recovery(fault, changes) for fault in evidence.history.faults), default=0.0),
        )


def table(outcomes: Sequence[Outcome]) -> Table:
    """All runs, with what broke."""
    shown = Table(box=None, pad_edge=False)
    for heading in (
        "fault",
        "operations",
        "acked",
        "unknown",
        "retried",
        "absorbed",
        "recovery s",
        "verdict",
    ):
        shown.add_column(heading, justify="left" if heading in {"fault", "verdict"} else "right")
    for outcome in outcomes:
        figures = Figures.of(outcome.evidence)
        verdict = "clean" if outcome.report.clean else "broken: " + " ".join(outcome.report.broken)
        shown.add_row(
            outcome.name,
            *(str(n) for n in (figures.operations, figures.acked, figures.unknown, figures.retried)),
            str(figures.absorbed),
            f"{figures.recovery_s:.1f}",
            verdict,
        )
    return shown


def _absorbed(evidence: Evidence) -> int:
    """Requests answered from the log, and events that came more than once."""
    repeated_answers = sum(attempt.result.replayed for attempt in evidence.changes)
    ids = [event.message_id for event in evidence.events if "sequence" in event.body]
    return repeated_answers + len(ids) - len(set(ids))


def _recovery(fault: Fault, changes: Sequence[Attempt]) -> float:
    """Seconds from the healing to the first change that was sent after it and accepted."""
    later = [attempt for attempt in changes if attempt.began >= fault.ended and attempt.accepted]
    first = min((attempt.ended for attempt in later), default=fault.ended)
    return first - fault.ended
