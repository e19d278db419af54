"""Runs one experiment after another on one stack, and says of each what came of it."""

import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from faults.experiment import Experiment, Pace, perform
from faults.servers import CannotBeDoneHere
from faults.stage import Stage
from faults.table import Line
from faults.witness import Witness, witness


@dataclass(frozen=True, slots=True)
class Theatre:
    """A stack with a witness, and the folder where runs are left."""

    stage: Stage
    witness: Witness
    folder: Path

    async def run(self, name: str, experiments: Sequence[Experiment], *, seed: str, pace: Pace) -> Line:
        """One run, and one line about it. What an experiment demands and did not get is a failure of its own."""
        verdict = self.folder / name / "verdict.txt"
        try:
            outcome = await perform(
                experiments,
                stage=self.stage,
                witness=self.witness,
                folder=self.folder / name,
                seed=f"{seed}-{name}",
                pace=pace,
            )
        except CannotBeDoneHere as reason:
            return Line.skipped(name, str(reason))
        except Exception as error:
            verdict.parent.mkdir(parents=True, exist_ok=True)
            verdict.write_text(traceback.format_exc(), encoding="utf-8")
            return Line(name, f"failed: {error!r}", failed=True)
        verdict.write_text(f"{outcome.report}\n", encoding="utf-8")
        return Line.of(outcome)


@asynccontextmanager
async def theatre(folder: Path, *, sources: Path | None = None) -> AsyncIterator[Theatre]:
    """A stack that runs while inside. `sources`: another tree whose services run."""
    with Stage(folder / "stack", sources=sources) as stage:
        async with witness(stage.addresses) as seen:
            yield Theatre(stage, seen, folder)
