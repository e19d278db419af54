"""Does harm to a stack, and heals it: signals, crashes at named points, links, bindings."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from signal import SIGSTOP, SIGTERM
from typing import Final

import aio_pika
from devstack.processes import Process
from devstack.services import service_of
from devstack.stack import Stack
from shared.contracts import topology

from faults import crash
from faults.crash import Order
from faults.history import Fault, HistoryFile
from faults.proxy import Weather
from faults.stage import Stage

_LONGEST_S: Final = 20.0
_GONE_S: Final = 10.0


class NotInTime(AssertionError):
    """What an experiment waited for did not come."""


async def until(what: str, holds: Callable[[], bool], *, within_s: float = _LONGEST_S) -> None:
    """Poll until it holds. Raises NotInTime."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise NotInTime(f"{what}: not within {within_s:g} s")
        await asyncio.sleep(0.02)


def _is_stopped(pid: int | None) -> bool:
    """Whether it got SIGSTOP."""
    return pid is not None and Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")


class Injector:
    """The harm that can be done; each is written to the history once it is healed."""

    def __init__(self, stage: Stage, history: HistoryFile, rng: Random) -> None:
        self.stage, self.history, self.rng = stage, history, rng

    async def kill(self, name: str, *, away_s: float = 0.0) -> None:
        """SIGKILL, and start it again."""
        async with self.without(name):
            await asyncio.sleep(away_s)

    @asynccontextmanager
    async def without(self, name: str) -> AsyncIterator[None]:
        """SIGKILL; it is away while inside."""
        async with self.noted(f"{name} killed"):
            await self._run(self._stack.kill, name)
            try:
                yield
            finally:
                await self._start(name)

    async def restart(self, name: str) -> None:
        """An orderly end, and a start."""
        async with self.noted(f"{name} restarted"):
            await self._run(self._stack.restart, name)

    async def crash(self, service: str, point: str, *, at_pass: int = 1, crowd: int = 0) -> None:
        """Have it die at a named point, and start it again. Raises NotInTime where it never came by there."""
        path = crash.order_path(self.stage.folder, service)
        process = self._stack[service]
        async with self.noted(f"{service} killed at {point!r}"):
            Order(point, at_pass, crowd=crowd).write(path)
            await until(f"{service} dies at {point!r}", lambda: not path.exists() and not process.alive())
            await self._start(service)

    @asynccontextmanager
    async def asleep(self, service: str, point: str) -> AsyncIterator[str]:
        """While inside, one replica is stopped at a named point; gives its name. Then it wakes, and goes on there."""
        replicas = [name for name in self._stack.names() if service_of(name) == service]
        stopped: list[str] = []

        def one_stopped() -> bool:
            stopped[:] = [name for name in replicas if _is_stopped(self._stack[name].pid)]
            return bool(stopped)

        async with self.noted(f"{service} stopped at {point!r}"):
            Order(point, by=SIGSTOP).write(crash.order_path(self.stage.folder, service))
            await until(f"{service} stops at {point!r}", one_stopped)
            try:
                yield stopped[0]
            finally:
                await self._run(self._stack.resume, stopped[0])

    async def pause(self, name: str, for_s: float) -> None:
        """SIGSTOP, and after a while SIGCONT."""
        async with self.noted(f"{name} paused for {for_s:g} s"):
            await self._run(self._stack.pause, name)
            try:
                await asyncio.sleep(for_s)
            finally:
                await self._run(self._stack.resume, name)

    async def terminate(self, name: str, *, silent: str | None = None) -> None:
        """SIGTERM, and start it again. Raises NotInTime where it is still there after 10 s (L4).

        `silent`: on this link nothing is heard until it has ended.
        """
        process = self._stack[name]
        async with self.noted(f"{name} terminated{f' while {silent} is silent' if silent else ''}"):
            if silent:
                self.stage.links[silent].change(Weather(blackhole=True))
            try:
                self._stack.state.processes[name].identity.send(SIGTERM)
                await until(f"{name} ends", lambda: not process.alive(), within_s=_GONE_S)
            finally:
                if silent:
                    self.stage.links[silent].heal()
            await self._start(name)

    async def cut(self, link: str, for_s: float) -> None:
        """End a link's connections and refuse new ones for a while."""
        async with self.noted(f"{link} cut for {for_s:g} s"):
            self.stage.links[link].cut()
            await asyncio.sleep(for_s)
            self.stage.links[link].heal()

    async def reset(self, link: str) -> None:
        """End a link's connections with a reset; new ones are welcome at once."""
        async with self.noted(f"{link} reset"):
            self.stage.links[link].reset()

    async def worsen(self, link: str, weather: Weather, for_s: float) -> None:
        """Make a link bad for a while."""
        async with self.noted(f"{link}: {weather} for {for_s:g} s"):
            self.stage.links[link].change(weather)
            await asyncio.sleep(for_s)
            self.stage.links[link].heal()

    async def unbind(self, for_s: float) -> None:
        """Nobody gets commands for a while: the broker takes them, and has no queue for them."""
        work = topology.FIX_OUTCOMES_COMMANDS
        connection = await aio_pika.connect(self.stage.addresses.amqp_url)
        async with connection, self.noted(f"{work.name} unbound for {for_s:g} s"):
            queue = await (await connection.channel()).get_queue(work.name)
            await queue.unbind(work.exchange, routing_key=work.key)
            try:
                await asyncio.sleep(for_s)
            finally:
                await queue.bind(work.exchange, routing_key=work.key)

    @asynccontextmanager
    async def deadly(self, command: str) -> AsyncIterator[None]:
        """While inside, fix-outcomes dies whenever it is about to decide this command, and lives again at once."""
        path = crash.order_path(self.stage.folder, "fix-outcomes")
        ordinary = self._stack["fix-outcomes"]
        assert isinstance(ordinary, Process)
        program = ordinary.program
        again = replace(program, environment={**program.environment, crash.REBORN: "1"})
        reborn = Process(again, self._stack.state)
        async with self.noted("fix-outcomes killed by one command, again and again"):
            Order("commands: before transaction", command=command).write(path)
            await self._run(reborn.start)
            await self._run(reborn.wait_ready)
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
                await self._run(reborn.kill)
                await self._start("fix-outcomes")

    @asynccontextmanager
    async def noted(self, name: str) -> AsyncIterator[None]:
        """Write down what is done inside, once it is healed."""
        began = time.monotonic()
        yield
        self.history.fault(Fault(name, began, time.monotonic()))

    @property
    def _stack(self) -> Stack:
        return self.stage.stack

    async def _start(self, name: str) -> None:
        await self._run(self._stack.start, name)
        await self._run(self._stack.wait_ready, name)

    async def _run(self, work: Callable[..., None], *arguments: str) -> None:
        await asyncio.to_thread(work, *arguments)
