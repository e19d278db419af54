"""The stack is broken under load, and what it recorded is held against the invariants. The short form of `make faults`.

Experiments that get along share one load and one verdict, on one stack. More of them are in the soak's short form.
"""

from pathlib import Path

import pytest

from faults.experiment import perform
from faults.experiments import EXPERIMENTS
from faults.stage import Stage
from faults.witness import Witness

ROUNDS = {
    "fix-outcomes dies": (
        "fix-outcomes-kill",
        "crash-before-transaction",
        "crash-after-commit",
        "crash-after-reply",
        "relay-crash",
    ),
    "servers die": ("redis-kill", "postgres-kill", "rabbitmq-kill"),
    "bad messages come": ("poison", "deadly-command"),
    "a process sleeps": ("fix-outcomes-pause",),
    "replicas are replaced": ("rolling-restart",),
}
SLOW = {"a process sleeps", "replicas are replaced"}


@pytest.mark.parametrize(
    "round_", [pytest.param(each, marks=pytest.mark.full) if each in SLOW else each for each in ROUNDS]
)
async def test_nothing_is_lost_when(round_: str, stage: Stage, seen: Witness, tmp_path: Path) -> None:
    experiments = [EXPERIMENTS[name] for name in ROUNDS[round_]]
    outcome = await perform(
        experiments, stage=stage, witness=seen, folder=tmp_path / "run", seed=f"short {round_}"
    )
    assert outcome.report.clean, f"{outcome.folder}\n{outcome.report}"
