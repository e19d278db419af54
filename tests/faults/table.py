"""The table at the end: one line for each run, on a screen or in a document."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, Self

from rich.table import Table

from faults.experiment import Outcome
from faults.history import Attempt, Fault
from faults.invariants.evidence import Evidence

BEGIN, END = "<!-- faults -->", "<!-- /faults -->"

_HEADINGS: Final = (
    "fault",
    "operations",
    "acked",
    "unknown",
    "retried",
    "absorbed",
    "recovery s",
    "verdict",
)
_WORDS: Final = frozenset({"fault", "verdict"})
_CLEAN: Final = "clean"


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
    def of(cls, evidence: Evidence) -> Self:
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


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one run. Without figures it came to no verdict. `failed`: something is wrong."""

    name: str
    verdict: str
    failed: bool
    figures: Figures | None = None

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """A run that was judged."""
        broken = " ".join(outcome.report.broken)
        verdict = f"broken: {broken}" if broken else _CLEAN
        return cls(outcome.name, verdict, failed=bool(broken), figures=Figures.of(outcome.evidence))

    @classmethod
    def skipped(cls, name: str, why: str) -> Self:
        """A fault that this machine does not allow."""
        return cls(name, f"skipped: {why}", failed=False)

    def cells(self) -> tuple[str, ...]:
        """As the columns have it."""
        if self.figures is None:
            return (self.name, *("–" for _ in _HEADINGS[1:-1]), self.verdict)
        *counts, recovery_s = astuple(self.figures)
        return (self.name, *(f"{count:,}" for count in counts), f"{recovery_s:.1f}", self.verdict)


def table(lines: Sequence[Line]) -> Table:
    """All runs, for a screen."""
    shown = Table(box=None, pad_edge=False)
    for heading in _HEADINGS:
        shown.add_column(heading, justify="left" if heading in _WORDS else "right")
    for line in lines:
        shown.add_row(*line.cells())
    return shown


def write_into(document: Path, lines: Sequence[Line], *, introduction: str) -> None:
    """Put the table where the document has a place for it."""
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{document} has no place for the table: {BEGIN} … {END}")
    rows = [_HEADINGS, tuple("---" if heading in _WORDS else "---:" for heading in _HEADINGS)]
    rows += [line.cells() for line in lines]
    written = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    document.write_text(f"{before}{BEGIN}\n{introduction}\n\n{written}\n{END}{after}", encoding="utf-8")


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
