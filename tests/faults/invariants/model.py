"""What the model is asked: once for each document of each version, and within each account's budget (S14, S15)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from faults.history import Fault
from faults.invariants.evidence import Evidence, Finding
from faults.llm_log import Call

_AWAY_S: Final = 1.5
"""A cache that was away is done without for so much longer."""


def one_generation(e: Evidence) -> Iterator[Finding]:
    """S14: one call for each (session, kind, version), and one more for each time that its holder was lost."""
    same: dict[str, list[Call]] = defaultdict(list)
    for call in e.model_calls:
        same[call.about].append(call)
    for about, calls in same.items():
        most = 1 + sum(_again(fault, calls) for fault in e.history.faults)
        yield None if len(calls) <= most else f"{about}: {len(calls)} calls, {most} at most"


def _again(fault: Fault, calls: Sequence[Call]) -> int:
    """How many more calls a fault excuses: its holder's, or, where the cache was away, one of each replica."""
    cache = fault.name.startswith(("redis", "note-generator-redis"))
    if fault.began > calls[-1].at or fault.ended + (_AWAY_S if cache else 0.0) < calls[0].at:
        return 0
    holder = fault.name.startswith("note-generator") and not fault.name.startswith("note-generator-rabbitmq")
    return 2 if cache else int(holder)


def within_budget(e: Evidence) -> Iterator[Finding]:
    """S15: no account's calls cost more than its budget."""
    if e.history.budget_usd is None:
        return
    spent: dict[str, float] = defaultdict(float)
    for call in e.model_calls:
        spent[call.account] += call.usd
    for account, usd in spent.items():
        within = usd <= e.history.budget_usd
        yield None if within else f"account {account}: ${usd:.4f} of ${e.history.budget_usd:.4f}"
