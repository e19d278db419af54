"""Many seeds, on all cores. Each is a simulation of its own; one that breaks something is named by its seed."""

import gc
import logging
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from faults.checker import Report, Verdict
from faults.simulation.simulate import simulate

_SEEDS_BETWEEN_COLLECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Campaign:
    """What became of many seeds. `checked`: how many things each invariant looked at, over all of them."""

    seeds: int
    seconds: float
    checked: Counter[str]
    broken: tuple[Report, ...]

    @property
    def invariants(self) -> Counter[str]:
        """In how many seeds each invariant was broken."""
        return Counter(name for report in self.broken for name in report.broken)

    def __str__(self) -> str:
        lines = [f"{self.seeds:,} seeds in {self.seconds:.1f} s, {len(self.broken)} of them broken"]
        lines.append("checked: " + ", ".join(f"{name} {n:,}" for name, n in self.checked.items()))
        if self.broken:
            lines.append("broken: " + ", ".join(f"{name} {n:,}" for name, n in self.invariants.most_common()))
        return "\n".join(lines)


def run(seeds: Sequence[str], *, cores: int) -> Campaign:
    """Simulate all of them. For a process without threads: it forks."""
    began = time.monotonic()
    checked: Counter[str] = Counter()
    broken: list[Report] = []
    for report in _reports(seeds, min(cores, len(seeds))):
        checked.update({verdict.invariant: verdict.checked for verdict in report.verdicts})
        if not report.clean:
            broken.append(report)
    return Campaign(len(seeds), time.monotonic() - began, checked, tuple(broken))


def _reports(seeds: Sequence[str], cores: int) -> Iterator[Report]:
    # In processes of their own, whatever the number: they silence logs and the collector for good. Forked,
    # since to load the core again takes as long as a hundred seeds.
    with multiprocessing.get_context("fork").Pool(cores, initializer=_prepare) as pool:
        yield from pool.imap_unordered(_simulate, seeds, chunksize=_SEEDS_BETWEEN_COLLECTIONS)


def _prepare() -> None:
    """No logs, and no collection of garbage at moments of its own: what is loaded by now stays."""
    logging.disable(logging.CRITICAL)
    silent = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=silent, cache_logger_on_first_use=True)
    gc.collect()
    gc.freeze()
    gc.disable()


_done = 0


def _simulate(seed: str) -> Report:
    global _done  # noqa: PLW0603 - one count for each process
    _done += 1
    if _done % _SEEDS_BETWEEN_COLLECTIONS == 0:
        gc.collect()
    try:
        return simulate(seed)
    except Exception as error:  # this one seed is broken; the others go on
        return Report(seed, (Verdict("end", 1, (repr(error),)),))
