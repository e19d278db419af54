"""The checker is tested: seeded bugs, one at a time, in a copy of the tree. It must name what each of them breaks."""

import shutil
import subprocess
from pathlib import Path

import pytest

from faults.experiment import perform
from faults.experiments import EXPERIMENTS
from faults.simulation.command import simulate
from faults.stage import SOURCES, Stage
from faults.witness import witness

ROOT = Path(__file__).parents[2]
MUTANTS = Path(__file__).parent / "mutants"

# The bug, the fault under which it shows, and the invariant that it breaks.
CAUGHT = {
    "ack-before-commit": ("crash-before-commit", "S1"),
    "no-command-log": ("duplicate-deliveries", "S8"),
    "no-mandatory-flag": ("queue-unbound", "S1"),
    "mark-before-confirm": ("link-cut-fix-outcomes-rabbitmq", "S9"),
    "cache-without-version-check": ("note-generator-kill", "S10"),
    "account-missing-from-operation-id": ("note-generator-kill", "S12"),
    "swallowed-exception": ("link-cut-fix-outcomes-postgres", "S1"),
    "if-match-unchecked": ("fix-outcomes-kill", "S6"),
    "verdict-not-final": ("fix-outcomes-kill", "S5"),
    "lock-without-fencing": ("zombie-generates", "S10"),
    "resume-with-a-gap": ("gateway-kill", "S9"),
}

# What the simulation finds of them, within so many seeds. It has no SQL, and so no missing command log; and no viewers.
NOT_SIMULATED = {"no-command-log", "resume-with-a-gap"}
SIMULATED = {mutant: invariant for mutant, (_, invariant) in CAUGHT.items() if mutant not in NOT_SIMULATED}
SEEDS = 400
QUICKLY_CAUGHT = {"swallowed-exception"}
FEW_SEEDS = 24


def test_every_mutant_is_tried() -> None:
    assert {patch.stem for patch in MUTANTS.glob("*.patch")} == set(CAUGHT)


@pytest.mark.parametrize("mutant", CAUGHT)
def test_a_mutant_still_applies(mutant: str, tmp_path: Path) -> None:
    copied(mutant, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("mutant", CAUGHT)
async def test_the_checker_names_what_a_mutant_breaks(mutant: str, tmp_path: Path) -> None:
    fault, invariant = CAUGHT[mutant]
    with Stage(tmp_path / "stack", sources=copied(mutant, tmp_path / "tree")) as stage:
        async with witness(stage.addresses) as seen:
            outcome = await perform(
                [EXPERIMENTS[fault]],
                stage=stage,
                witness=seen,
                folder=tmp_path / "run",
                seed=f"mutant {mutant}",
            )
    assert invariant in outcome.report.broken, f"{outcome.folder}\n{outcome.report}"


@pytest.mark.parametrize(
    ("mutant", "seeds"),
    [(mutant, FEW_SEEDS) for mutant in sorted(QUICKLY_CAUGHT)]
    + [pytest.param(mutant, SEEDS, marks=pytest.mark.full) for mutant in SIMULATED],
)
def test_the_simulation_names_what_a_mutant_breaks(mutant: str, seeds: int, tmp_path: Path) -> None:
    tree = copied(mutant, tmp_path)
    done = simulate(seeds=seeds, seed="mutant", sources=[tree / source for source in SOURCES])
    assert done.returncode == 1, done.stdout + done.stderr
    [broken] = [line for line in done.stdout.splitlines() if line.startswith("broken: ")]
    assert f"{SIMULATED[mutant]} " in broken, done.stdout


def copied(mutant: str, tree: Path) -> Path:
    """The services' sources with this bug in them."""
    for source in SOURCES:
        shutil.copytree(ROOT / source, tree / source, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        ["git", "apply", "-C0", str(MUTANTS / f"{mutant}.patch")],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{mutant}.patch must be written anew: {done.stderr}"
    return tree
