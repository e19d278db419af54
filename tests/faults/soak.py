"""Load for a long time, and a random fault at every tick: is the record sound, and is memory where it was?

In shifts: each has accounts of its own, and is judged when it has come to rest. The first and the last are alike, with
a fault that ends no process, so that memory is compared between processes that have done the same.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from devstack.services import SERVICES

from faults.experiment import Experiment, Pace, Scene
from faults.experiments import EXPERIMENTS
from faults.running import Theatre
from faults.table import Line

EVERY_S: Final = 20.0
ALLOWED_GROWTH: Final = 0.2

_GENTLE: Final = EXPERIMENTS["duplicate-deliveries"]
WARM: Final = Pace(changes=50, seconds=8.0)
_TICKS_A_SHIFT: Final = 4
_TAKE_LONG: Final = frozenset({"deadly-command", "refused-by-the-database"})
"""Most of a minute each."""
AT_RANDOM: Final = tuple(
    name
    for name, each in EXPERIMENTS.items()
    if name not in _TAKE_LONG and not each.model and each.replicas == 1
)
"""Faults that get along on one stack of one replica each, without a model."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of each process, at rest."""

    by_process: Mapping[str, int]

    def grown(self, before: "Memory") -> dict[str, float]:
        """By what share each service has grown since then."""
        return {name: self.by_process[name] / before.by_process[name] - 1 for name in SERVICES}


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a soak says at its end."""

    lines: tuple[Line, ...]
    before: Memory
    after: Memory

    @property
    def failures(self) -> tuple[str, ...]:
        """What is wrong: a shift that was not clean, or a service that has grown."""
        wrong = [f"{line.name}: {line.verdict}" for line in self.lines if line.failed]
        grown = self.after.grown(self.before)
        wrong += [
            f"{name} has grown by {share:.0%}" for name, share in grown.items() if share > ALLOWED_GROWTH
        ]
        return tuple(wrong)


async def soak(
    theatre: Theatre,
    *,
    minutes: float,
    seed: str,
    every_s: float = EVERY_S,
    faults: Sequence[str] = AT_RANDOM,
    warm: Pace = WARM,
    report: Callable[[Line], None],
) -> Soaked:
    """So many minutes between two looks at the memory. `warm`: the load of the first shift, and of the last."""
    rng, lines = Random(f"soak {seed}"), []

    async def shift(number: int, experiments: list[Experiment], pace: Pace) -> None:
        lines.append(await theatre.run(f"shift-{number}", experiments, seed=seed, pace=pace))
        report(lines[-1])

    await shift(0, [_GENTLE], warm)
    before = await _memory(theatre)
    end, number = time.monotonic() + minutes * 60, 1
    while time.monotonic() < end:
        ticks = _Ticks(every_s)
        await shift(number, [ticks.wait_for(each) for each in _chosen(rng, faults)], Pace(changes=1))
        number += 1
    await shift(number, [_GENTLE], warm)
    return Soaked(tuple(lines), before, await _memory(theatre))


def _chosen(rng: Random, faults: Sequence[str]) -> list[Experiment]:
    return [EXPERIMENTS[name] for name in rng.sample(faults, _TICKS_A_SHIFT)]


class _Ticks:
    """A fault begins with each tick; one that took longer makes the next wait for the tick after."""

    def __init__(self, every_s: float) -> None:
        self._every_s, self._next = every_s, time.monotonic() + every_s

    def wait_for(self, experiment: Experiment) -> Experiment:
        """The same, at the next tick."""
        return replace(experiment, harm=self._timed(experiment.harm))

    def _timed(self, harm: Callable[[Scene], Awaitable[None]]) -> Callable[[Scene], Awaitable[None]]:
        async def timed(scene: Scene) -> None:
            await asyncio.sleep(max(self._next - time.monotonic(), 0))
            while self._next <= time.monotonic():
                self._next += self._every_s
            await harm(scene)

        return timed


async def _memory(theatre: Theatre) -> Memory:
    return Memory({name: _resident(pid) for name, pid in theatre.stage.stack.pids().items()})


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    [kibibytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(kibibytes) << 10
