"""What must always hold, each as a small pure function over loaded data; the texts are those of invariants.md.

A function yields one item for each thing that it looked at: None where it is as it must be, else what is wrong.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from faults.invariants import answers, messages, model, notes, rows, service
from faults.invariants.evidence import Evidence, Finding, Invariant


def something_happened(e: Evidence) -> Iterator[Finding]:
    """A run that saw no fault, no acknowledged operation, no event or no note must fail."""
    yield None if any(attempt.accepted for attempt in e.changes) else "no change was acknowledged"
    yield None if e.events else "no event was received"
    yield None if e.stored else "no note was seen being stored"
    yield None if e.record.tables["journal"] else "the journal is empty"
    if e.wants_faults:
        yield None if e.history.faults else "there was no fault"


INVARIANTS: Final[Mapping[str, Invariant]] = {
    "data": something_happened,
    "S1": answers.no_lost_answer,
    "S2": answers.no_phantom,
    "S3": answers.at_most_once,
    "S4": rows.chain,
    "S5": rows.legal_only,
    "S6": answers.one_winner,
    "S7": answers.real_time,
    "S8": rows.atomic,
    "S9": messages.no_lost_event,
    "S10": notes.versions_never_go_back,
    "S11": notes.honest_notes,
    "S12": service.isolation,
    "S13": messages.no_silent_drop,
    "S14": model.one_generation,
    "S15": model.within_budget,
    "S16": service.no_fail_open,
    "L1": service.recovery,
    "L2": messages.relay_drains,
    "L3": notes.notes_follow,
    "L4": service.deadlines,
    "L5": service.nothing_held,
}
