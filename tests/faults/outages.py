"""Servers that are away, asleep, restarted, without memory, connections or room."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from faults import servers
from faults.experiment import Experiment, Scene
from faults.injector import until

_AWAY_S: Final = 1.5
_ASLEEP_S: Final = 6.0
_FELT_S: Final = 12.0


def killed(name: str, *, away_s: float = 0.0) -> Callable[[Scene], Awaitable[None]]:
    """SIGKILL at a moment that the dice choose, and a start."""

    async def harm(scene: Scene) -> None:
        await asyncio.sleep(scene.rng.uniform(0, 0.2))
        await scene.injector.kill(name, away_s=away_s)

    return harm


def paused(name: str) -> Callable[[Scene], Awaitable[None]]:
    """SIGSTOP for longer than clients are kept waiting."""

    async def harm(scene: Scene) -> None:
        await scene.injector.pause(name, _ASLEEP_S)

    return harm


async def _redis_killed(scene: Scene) -> None:
    async with _nobody_is_refused(scene), scene.injector.without("redis"):
        await scene.more(40)


async def _everything_killed(scene: Scene) -> None:
    names = list(scene.stage.stack.names())
    scene.rng.shuffle(names)
    async with asyncio.TaskGroup() as all_at_once:
        for name in names:
            all_at_once.create_task(scene.injector.kill(name))


async def _restarted(scene: Scene) -> None:
    await scene.injector.restart("rabbitmq")


async def _memory_alarm(scene: Scene) -> None:
    """Nothing is promised that RabbitMQ did not take: changes are 503, and work again when the alarm is over."""
    async with scene.injector.noted("rabbitmq has no memory left"), servers.memory_alarm(scene.stage):
        await _errors(scene, "publishers are blocked")


async def _backends_terminated(scene: Scene) -> None:
    async with scene.injector.noted("every backend terminated"):
        for _ in range(3):
            await servers.terminate_backends(scene.stage)
            await asyncio.sleep(scene.rng.uniform(0.1, 0.5))


async def _connections_exhausted(scene: Scene) -> None:
    async with scene.injector.noted("no connection left"), servers.no_connection_left(scene.stage):
        await _errors(scene, "reads are refused")


async def _disk_full(scene: Scene) -> None:
    """What cannot be written is queued, and written when there is room again."""
    async with scene.injector.noted("the disk is full"), servers.disk_full(scene.stage):
        before = scene.load.progress.queued
        await until("changes are queued", lambda: scene.load.progress.queued > before, within_s=_FELT_S)


async def _forgotten(scene: Scene) -> None:
    async with _nobody_is_refused(scene), scene.injector.noted("redis flushed"):
        await servers.forget_everything(scene.stage)
        await scene.more(40)


async def _no_memory(scene: Scene) -> None:
    noted = scene.injector.noted("redis has no memory left")
    async with _nobody_is_refused(scene), noted, servers.no_memory(scene.stage):
        await scene.more(60)


async def _errors(scene: Scene, what: str) -> None:
    before = scene.load.progress.server_errors
    await until(what, lambda: scene.load.progress.server_errors > before, within_s=_FELT_S)


@asynccontextmanager
async def _nobody_is_refused(scene: Scene) -> AsyncIterator[None]:
    """Changes go on without Redis."""
    before = scene.load.progress.server_errors
    yield
    assert scene.load.progress.server_errors == before, "answers were 5xx without Redis"


OUTAGES: Final = (
    Experiment("rabbitmq-kill", killed("rabbitmq")),
    Experiment("rabbitmq-restart", _restarted),
    Experiment("rabbitmq-pause", paused("rabbitmq")),
    Experiment("rabbitmq-memory-alarm", _memory_alarm),
    Experiment("postgres-kill", killed("postgres", away_s=_AWAY_S)),
    Experiment("postgres-pause", paused("postgres")),
    Experiment("postgres-backends-terminated", _backends_terminated),
    Experiment("postgres-connections-exhausted", _connections_exhausted),
    Experiment("postgres-disk-full", _disk_full),
    Experiment("redis-kill", _redis_killed, notes_lost=True),
    Experiment("redis-pause", paused("redis")),
    Experiment("redis-flushall", _forgotten, notes_lost=True),
    Experiment("redis-no-memory", _no_memory, notes_lost=True),
    Experiment("everything-kill", _everything_killed, notes_lost=True),
)
