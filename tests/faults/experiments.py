"""Every fault by its name."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from faults.experiment import Experiment, Scene
from faults.poison import deadly_command, poison
from faults.proxy import Weather

_PAUSE_S: Final = 6.0
_AWAY_S: Final = 1.5


def _killed(name: str, *, away_s: float = 0.0) -> Callable[[Scene], Awaitable[None]]:
    async def harm(scene: Scene) -> None:
        await asyncio.sleep(scene.rng.uniform(0, 0.2))
        await scene.injector.kill(name, away_s=away_s)

    return harm


def _dying(service: str, point: str) -> Callable[[Scene], Awaitable[None]]:
    async def harm(scene: Scene) -> None:
        await scene.injector.crash(service, point, at_pass=scene.rng.randint(1, 8))

    return harm


async def _redis_killed(scene: Scene) -> None:
    """Changes go on while Redis is away, and none is refused for it."""
    before = scene.load.progress.server_errors
    async with scene.injector.without("redis"):
        await scene.more(40)
        assert scene.load.progress.server_errors == before, "answers were 5xx without Redis"


async def _everything_killed(scene: Scene) -> None:
    names = list(scene.stage.stack.names())
    scene.rng.shuffle(names)
    async with asyncio.TaskGroup() as all_at_once:
        for name in names:
            all_at_once.create_task(scene.injector.kill(name))


async def _paused(scene: Scene) -> None:
    await scene.injector.pause("fix-outcomes", _PAUSE_S)


async def _unbound(scene: Scene) -> None:
    await scene.injector.unbind(_AWAY_S)


async def _repeated(scene: Scene) -> None:
    await scene.injector.repeat_deliveries(_AWAY_S)


async def _terminated(scene: Scene) -> None:
    for name in ("fix-outcomes", "note-generator", "gateway"):
        await scene.injector.terminate(name)
        await scene.more(20)


async def _rolled(scene: Scene) -> None:
    """Every replica of every service is restarted, one after another; nobody sees a 5xx."""
    before = scene.load.progress.server_errors
    for service in ("fix-outcomes", "note-generator", "gateway"):
        for name in (service, f"{service}-2"):
            await scene.injector.terminate(name)
            await scene.more(10)
    errors = scene.load.progress.server_errors - before
    assert errors == 0, f"{errors} answers were 5xx during a rolling restart"


def _cut(link: str) -> Callable[[Scene], Awaitable[None]]:
    async def harm(scene: Scene) -> None:
        await scene.injector.cut(link, _AWAY_S)

    return harm


def _worsened(link: str, weather: Weather, for_s: float = _AWAY_S) -> Callable[[Scene], Awaitable[None]]:
    async def harm(scene: Scene) -> None:
        await scene.injector.worsen(link, weather, for_s)

    return harm


async def _reset(scene: Scene) -> None:
    for name in scene.stage.links:
        await scene.injector.reset(name)
        await scene.more(5)


_ALL: Final = (
    Experiment("fix-outcomes-kill", _killed("fix-outcomes")),
    Experiment("crash-before-transaction", _dying("fix-outcomes", "commands: before transaction")),
    Experiment("crash-before-commit", _dying("fix-outcomes", "commands: before commit")),
    Experiment("crash-after-commit", _dying("fix-outcomes", "commands: after commit, before reply")),
    Experiment("crash-after-reply", _dying("fix-outcomes", "commands: after reply, before ack")),
    Experiment("relay-crash", _dying("fix-outcomes", "relay: after confirm, before mark")),
    Experiment("gateway-kill", _killed("gateway")),
    Experiment("note-generator-kill", _killed("note-generator")),
    Experiment("crash-before-generation", _dying("note-generator", "before generation")),
    Experiment("crash-before-announce", _dying("note-generator", "after store before announce")),
    Experiment("crash-before-settling", _dying("note-generator", "before ack")),
    Experiment("rabbitmq-kill", _killed("rabbitmq")),
    Experiment("postgres-kill", _killed("postgres", away_s=_AWAY_S)),
    Experiment("redis-kill", _redis_killed, notes_lost=True),
    Experiment("everything-kill", _everything_killed, notes_lost=True),
    Experiment("fix-outcomes-pause", _paused),
    Experiment("link-cut-gateway-rabbitmq", _cut("gateway-rabbitmq")),
    Experiment("link-cut-fix-outcomes-rabbitmq", _cut("fix-outcomes-rabbitmq")),
    Experiment("link-cut-fix-outcomes-postgres", _cut("fix-outcomes-postgres")),
    Experiment("link-cut-note-generator-rabbitmq", _cut("note-generator-rabbitmq")),
    Experiment(
        "link-blackhole-gateway-rabbitmq", _worsened("gateway-rabbitmq", Weather(blackhole=True), 6.0)
    ),
    Experiment(
        "link-blackhole-fix-outcomes-postgres",
        _worsened("fix-outcomes-postgres", Weather(blackhole=True), 6.0),
    ),
    Experiment("link-slow-fix-outcomes-rabbitmq", _worsened("fix-outcomes-rabbitmq", Weather(delay_s=0.2))),
    Experiment("link-sliced-gateway-rabbitmq", _worsened("gateway-rabbitmq", Weather(slices=True))),
    Experiment("links-reset", _reset),
    Experiment("queue-unbound", _unbound),
    Experiment("duplicate-deliveries", _repeated),
    Experiment("poison", poison),
    Experiment("deadly-command", deadly_command),
    Experiment("sigterm", _terminated),
    Experiment("rolling-restart", _rolled, replicas=2),
)

EXPERIMENTS: Final[Mapping[str, Experiment]] = {experiment.name: experiment for experiment in _ALL}
