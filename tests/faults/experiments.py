"""Every fault by its name."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from faults import deliveries
from faults.experiment import Experiment, Scene
from faults.injector import until
from faults.models import MODELS
from faults.networks import LINKS, NETWORKS
from faults.outages import OUTAGES, killed, paused
from faults.poison import deadly_command, poison, refused_by_the_database
from faults.zombies import ZOMBIES

_A_WHILE_S: Final = 1.5


def _dying(service: str, point: str, *, crowd: int = 0) -> Callable[[Scene], Awaitable[None]]:
    async def harm(scene: Scene) -> None:
        await scene.injector.crash(service, point, at_pass=scene.rng.randint(1, 8), crowd=crowd)

    return harm


async def _unbound(scene: Scene) -> None:
    await scene.injector.unbind(_A_WHILE_S)


async def _repeated(scene: Scene) -> None:
    async with (
        scene.injector.noted("deliveries repeated"),
        deliveries.repeated(scene.stage, scene.rng) as copied,
    ):
        await asyncio.sleep(_A_WHILE_S)
        await until("messages were repeated", lambda: copied() > 0)


async def _disordered(scene: Scene) -> None:
    async with (
        scene.injector.noted("deliveries in another order"),
        deliveries.disordered(scene.stage, scene.rng) as held,
    ):
        await asyncio.sleep(_A_WHILE_S)
        await until("messages were held back", lambda: held() > 0)


async def _terminated(scene: Scene) -> None:
    for name in ("fix-outcomes", "note-generator", "gateway"):
        await scene.injector.terminate(name)
        await scene.more(20)


def _terminated_in_silence(link: str) -> Callable[[Scene], Awaitable[None]]:
    """It ends in time although a server does not answer; what it had in hand is handled by whoever comes after."""

    async def harm(scene: Scene) -> None:
        await scene.injector.terminate(link.rpartition("-")[0], silent=link)

    return harm


async def _rolled(scene: Scene) -> None:
    """Every replica of every service is restarted, one after another; nobody sees a 5xx."""
    before = scene.load.progress.server_errors
    for service in ("fix-outcomes", "note-generator", "gateway"):
        for name in (service, f"{service}-2"):
            await scene.injector.terminate(name)
            await scene.more(10)
    errors = scene.load.progress.server_errors - before
    assert errors == 0, f"{errors} answers were 5xx during a rolling restart"


_ALL: Final = (
    Experiment("fix-outcomes-kill", killed("fix-outcomes")),
    Experiment("crash-before-transaction", _dying("fix-outcomes", "commands: before transaction")),
    Experiment("crash-before-commit", _dying("fix-outcomes", "commands: before commit")),
    Experiment("crash-mid-batch", _dying("fix-outcomes", "commands: before commit", crowd=2)),
    Experiment("crash-after-commit", _dying("fix-outcomes", "commands: after commit, before reply")),
    Experiment("crash-after-reply", _dying("fix-outcomes", "commands: after reply, before ack")),
    Experiment("relay-crash", _dying("fix-outcomes", "relay: after confirm, before mark")),
    Experiment("gateway-kill", killed("gateway")),
    Experiment("note-generator-kill", killed("note-generator")),
    Experiment("crash-before-generation", _dying("note-generator", "before generation")),
    Experiment("crash-before-announce", _dying("note-generator", "after store before announce")),
    Experiment("crash-before-settling", _dying("note-generator", "before ack")),
    *(Experiment(f"{name}-pause", paused(name)) for name in ("gateway", "fix-outcomes", "note-generator")),
    *ZOMBIES,
    *OUTAGES,
    *NETWORKS,
    Experiment("queue-unbound", _unbound),
    Experiment("duplicate-deliveries", _repeated),
    Experiment("disordered-deliveries", _disordered),
    Experiment("poison", poison),
    Experiment("deadly-command", deadly_command),
    Experiment("refused-by-the-database", refused_by_the_database),
    *MODELS,
    Experiment("sigterm", _terminated),
    *(Experiment(f"sigterm-silent-{link}", _terminated_in_silence(link)) for link in LINKS),
    Experiment("rolling-restart", _rolled, replicas=2),
)

EXPERIMENTS: Final[Mapping[str, Experiment]] = {experiment.name: experiment for experiment in _ALL}
