"""Reads a run and says, invariant by invariant, what was checked and what is wrong."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faults import lines
from faults.history import History
from faults.invariants.catalogue import INVARIANTS
from faults.invariants.evidence import Evidence, Invariant
from faults.llm_log import Call
from faults.record import Record
from faults.stored import Stored
from faults.subscriber import Received

HISTORY, EVENTS, RECORD = "history.jsonl", "events.jsonl", "record.json"
STORED, CALLS = "stored.jsonl", "model.jsonl"
SHOWN: Final = 5

NEED_A_MODEL: Final = frozenset({"S14", "S15"})
NEEDS_DATA: Final = frozenset(INVARIANTS) - NEED_A_MODEL - {"L1"}
"""Nothing to check is a failure here: a vacuous success proves nothing. L1 needs a load that goes on for long after a
fault."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one invariant said: things looked at, and what was wrong with some of them."""

    invariant: str
    checked: int
    offences: tuple[str, ...]
    needs_data: bool = False

    @property
    def holds(self) -> bool:
        """Whether it held, over something."""
        return not self.offences and (self.checked > 0 or not self.needs_data)

    def __str__(self) -> str:
        if self.holds:
            return f"{self.invariant:>4}  holds   {self.checked:6} checked"
        shown = "".join(f"\n        {offence}" for offence in self.offences[:SHOWN])
        return f"{self.invariant:>4}  BROKEN  {self.checked:6} checked, {len(self.offences)} wrong{shown}"


@dataclass(frozen=True, slots=True)
class Report:
    """All verdicts on a run."""

    seed: str
    verdicts: tuple[Verdict, ...]

    @property
    def clean(self) -> bool:
        """Whether everything held."""
        return all(verdict.holds for verdict in self.verdicts)

    @property
    def broken(self) -> tuple[str, ...]:
        """The invariants that did not hold."""
        return tuple(verdict.invariant for verdict in self.verdicts if not verdict.holds)

    def __str__(self) -> str:
        return "\n".join([f"seed {self.seed}", *map(str, self.verdicts)])


def check(
    evidence: Evidence,
    invariants: Mapping[str, Invariant] = INVARIANTS,
    *,
    needs_data: Set[str] = NEEDS_DATA,
) -> Report:
    """Every invariant on one run."""
    verdicts = [
        _judge(name, invariant, evidence, needs_data=name in needs_data)
        for name, invariant in invariants.items()
    ]
    return Report(evidence.history.seed, tuple(verdicts))


def load(run: Path, *, wants_faults: bool = True) -> Evidence:
    """A run from its folder. Raises FileNotFoundError where a part of it is missing."""
    return Evidence(
        history=History.read(run / HISTORY),
        record=Record.read(run / RECORD),
        events=lines.read(run / EVENTS, Received),
        stored=lines.read(run / STORED, Stored),
        model_calls=lines.read(run / CALLS, Call) if (run / CALLS).exists() else (),
        wants_faults=wants_faults,
    )


def _judge(name: str, invariant: Invariant, evidence: Evidence, *, needs_data: bool) -> Verdict:
    findings: Sequence[str | None] = list(invariant(evidence))
    offences = tuple(found for found in findings if found is not None)
    return Verdict(name, len(findings), offences, needs_data)
