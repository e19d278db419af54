"""One run: steady load, harm, healing, rest, verdict. What it leaves in its folder can be checked again later."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from faults import checker, lines, record
from faults.checker import CALLS, EVENTS, HISTORY, RECORD, STORED, Report
from faults.gateways import Gateways
from faults.history import History, HistoryFile
from faults.injector import Injector, until
from faults.invariants.evidence import Evidence
from faults.invariants.messages import no_lost_event, relay_drains
from faults.invariants.notes import notes_follow
from faults.invariants.service import nothing_held
from faults.llm import BUDGET_USD
from faults.record import Record
from faults.recorder import Recorder
from faults.stage import Stage
from faults.viewers import Viewers
from faults.waiting import waiting
from faults.witness import Witness

REST_S: Final = 30.0
_POLL_S: Final = 0.2
_HOLD: Final = ("gateway", "note-generator")


@dataclass(frozen=True, slots=True)
class Scene:
    """What an experiment has to hand."""

    stage: Stage
    injector: Injector
    load: Recorder
    rng: Random

    async def more(self, changes: int) -> None:
        """Wait until so many more changes have been accepted."""
        goal = self.load.progress.accepted + changes
        await until(f"{changes} more changes", lambda: self.load.progress.accepted >= goal)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A fault with a name. `notes_lost`: the cache is emptied by it, and filled again by asking.

    `model`: a language model writes the notes, and not the template alone.
    """

    name: str
    harm: Callable[[Scene], Awaitable[None]]
    replicas: int = 1
    notes_lost: bool = False
    model: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How much load surrounds each fault: changes accepted, and seconds at least."""

    changes: int = 30
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run."""

    name: str
    folder: Path
    report: Report
    evidence: Evidence


async def perform(
    experiments: Sequence[Experiment],
    *,
    stage: Stage,
    witness: Witness,
    folder: Path,
    seed: str,
    pace: Pace = Pace(),
) -> Outcome:
    """Do these to the stack, one after another under one load, and judge. A fault that does not bite raises."""
    name = "+".join(experiment.name for experiment in experiments)
    await stage.restore(model=_asks_a_model(experiments))
    await record.discard_parked(stage.addresses.amqp_url)
    history = HistoryFile(folder / HISTORY, seed=seed, budget_usd=BUDGET_USD)
    try:
        async with stage.scaled(max(experiment.replicas for experiment in experiments)):
            await _break(experiments, stage, history, seed, pace)
            evidence = await _rest(stage, witness, folder)
    finally:
        history.close()
    needed = checker.NEEDS_DATA | (checker.NEED_A_MODEL if _asks_a_model(experiments) else set())
    return Outcome(name, folder, checker.check(evidence, needs_data=needed), evidence)


async def _break(
    experiments: Sequence[Experiment], stage: Stage, history: HistoryFile, seed: str, pace: Pace
) -> None:
    rng = Random(f"harm {seed}")
    async with (
        Gateways(stage.stack.gateway_urls) as gateways,
        Recorder(history, seed=seed, send=gateways.send, token=stage.token) as load,
        Viewers(load, gateways, stage.token) as viewers,
    ):
        scene = Scene(stage, Injector(stage, history, rng), load, rng)
        load.start()
        for experiment in experiments:
            await _steady(scene, pace)
            await experiment.harm(scene)
        await _steady(scene, pace)
        await load.stop()
        lost = any(experiment.notes_lost for experiment in experiments)
        await load.preview(sessions=None if lost else 1)
        await viewers.leave()


def _asks_a_model(experiments: Sequence[Experiment]) -> bool:
    return any(experiment.model for experiment in experiments)


async def _steady(scene: Scene, pace: Pace) -> None:
    await asyncio.gather(scene.more(pace.changes), asyncio.sleep(pace.seconds))


async def _rest(stage: Stage, witness: Witness, folder: Path) -> Evidence:
    """Wait until nothing moves any more, or for as long as that may take; keep what is there then."""
    history = History.read(folder / HISTORY)
    deadline = time.monotonic() + REST_S
    while True:
        evidence = await _look(history, stage, witness)
        if _at_rest(evidence) or time.monotonic() > deadline:
            break
        await asyncio.sleep(_POLL_S)
    evidence.record.write(folder / RECORD)
    lines.write(folder / EVENTS, evidence.events)
    lines.write(folder / STORED, evidence.stored)
    lines.write(folder / CALLS, evidence.model_calls)
    return evidence


async def _look(history: History, stage: Stage, witness: Witness) -> Evidence:
    taken = await Record.take(stage.addresses, tuple(history.accounts))
    events = [event for event in witness.events.received if event.account in history.accounts]
    notes = [note for note in witness.notes.stored if note.account in history.accounts]
    calls = stage.llm.calls(history.accounts)
    held = await waiting(
        {name: stage.stack.url(name) for name in stage.stack.names() if name.startswith(_HOLD)}
    )
    return Evidence(
        history=history,
        record=replace(taken, waiting=held),
        events=events,
        stored=notes,
        model_calls=calls,
    )


def _at_rest(evidence: Evidence) -> bool:
    queued = [name for name, depth in evidence.record.queues.items() if depth and ".parked." not in name]
    moving = (relay_drains, notes_follow, no_lost_event, nothing_held)
    return not queued and not any(finding for moves in moving for finding in moves(evidence))
