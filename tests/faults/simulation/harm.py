"""What is done to a simulated stack: each kind of harm, what it hurts, and how it ends. All by the world's dice."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from random import Random
from typing import Final

from shared.contracts import topology

from faults.history import Fault
from faults.simulation.cluster import Cluster, Replica
from faults.simulation.network import Weather

_POINTS: Final = (
    "commands: before transaction",
    "commands: before commit",
    "commands: after commit, before reply",
    "commands: after reply, before ack",
    "relay: after confirm, before mark",
    "before generation",
    "after store before announce",
    "before ack",
)

# A gateway that sleeps answers nobody in time; its own deadlines begin when it wakes.
_LONGEST_PAUSE_S: Final = {"gateway": 3.0, "others": 9.0}

Harm = Callable[["Harmer"], Awaitable[str]]


class Harmer:
    """Does harm and heals it, and notes what it did."""

    def __init__(self, cluster: Cluster, rng: Random, note: Callable[[Fault], None]) -> None:
        self.cluster, self.world, self.rng = cluster, cluster.world, rng
        self._note = note
        self._tasks: list[asyncio.Task[None]] = []
        self.notes_lost = False
        cluster.executed = self._executed

    def begin(self, *, within_s: float) -> None:
        """A few kinds of harm, chosen for this run, each at random moments within this time."""
        kinds = self.rng.sample(_KINDS, self.rng.randint(1, 3))
        for harm in self.rng.choices(kinds, k=self.rng.randint(1, 4)):
            self._tasks.append(asyncio.create_task(self._one(harm, self.rng.uniform(0.3, within_s))))

    async def end(self) -> None:
        """Everything is healed."""
        while self._tasks:
            doing, self._tasks = self._tasks, []
            await asyncio.gather(*doing)
            self.cluster.orders.clear()

    async def _one(self, harm: Harm, at: float) -> None:
        await asyncio.sleep(at)
        began = self.world.loop.time()
        name = await harm(self)
        self._note(Fault(name, began, self.world.loop.time()))

    def _executed(self, replica: Replica, point: str) -> None:
        """A replica has died where it was ordered to; it comes back."""
        back = self.world.loop.create_task(self._back(replica, point), context=Context())
        self._tasks.append(back)

    async def _back(self, replica: Replica, point: str) -> None:
        began = self.world.loop.time()
        await self._a_while(0.2, 1.0)
        if not replica.alive:
            replica.start()
        self._note(Fault(f"{replica.name} killed at {point!r}", began, self.world.loop.time()))

    async def _a_while(self, least: float, most: float) -> None:
        await asyncio.sleep(self.rng.uniform(least, most))

    def _some(self) -> Replica:
        return self.rng.choice(list(self.cluster.replicas.values()))

    async def kill(self) -> str:
        replica = self._some()
        replica.kill()
        await self._a_while(0.1, 1.5)
        if not replica.alive:
            replica.start()
        return f"{replica.name} killed"

    async def kill_at_a_point(self) -> str:
        point = self.rng.choice(_POINTS)
        self.cluster.orders[point] = self.rng.randint(1, 4)
        return f"an order to die at {point!r}"

    async def pause(self) -> str:
        replica = self._some()
        process = replica.process
        replica.pause()
        await self._a_while(0.5, _LONGEST_PAUSE_S["gateway" if "gateway" in replica.name else "others"])
        if replica.process is process:
            replica.resume()
        return f"{replica.name} paused"

    async def cut_broker(self) -> str:
        process = self._some().process
        self.world.broker.cut(lambda connection: connection.process is process)
        return f"{process.name}-rabbitmq cut"

    async def cut_database(self) -> str:
        self.world.postgres.disconnect()
        return "postgres connections terminated"

    async def lose_broker(self) -> str:
        self.world.rabbitmq.crash()
        self.world.broker.cut(lambda connection: True)
        await self._a_while(0.1, 2.0)
        self.world.rabbitmq.up = True
        self.cluster.listen_again()
        return "rabbitmq killed"

    async def lose_database(self) -> str:
        self.world.postgres.crash()
        await self._a_while(0.1, 2.0)
        self.world.postgres.up = True
        return "postgres killed"

    async def lose_cache(self) -> str:
        self.notes_lost = True
        self.world.redis.crash()
        await self._a_while(0.1, 2.0)
        self.world.redis.up = True
        return "redis killed"

    async def bad_weather(self) -> str:
        self.world.network.weather = Weather(instant=0.3, slow=0.2, repeated=0.3, dropped=0.2)
        await self._a_while(0.5, 3.0)
        self.world.network.weather = Weather()
        return "deliveries repeated, slowed and dropped"

    async def unbind(self) -> str:
        work = topology.FIX_OUTCOMES_COMMANDS
        queue = self.world.rabbitmq.queues[work.name]
        if not self.world.rabbitmq.bound(queue, work.exchange):
            return "nothing: it is unbound already"
        self.world.rabbitmq.unbind(queue, work.exchange, work.key)
        await self._a_while(0.1, 1.0)
        self.world.rabbitmq.bind(queue, work.exchange, work.key)
        return f"{work.name} unbound"


_KINDS: Final[Sequence[Harm]] = (
    Harmer.kill,
    Harmer.kill_at_a_point,
    Harmer.pause,
    Harmer.cut_broker,
    Harmer.cut_database,
    Harmer.lose_broker,
    Harmer.lose_database,
    Harmer.lose_cache,
    Harmer.bad_weather,
    Harmer.unbind,
)
