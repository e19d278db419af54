"""The processes of one simulation: two of each consumer, two gateways, and whoever listens to the events."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import orjson
from shared.contracts import topology

from faults.history import Request, Result
from faults.llm_log import Call
from faults.simulation.front import Gateway
from faults.simulation.loop import Process, here
from faults.simulation.rabbitmq import Consumer, Queue, Wire
from faults.simulation.services import fix_outcomes, note_generator
from faults.simulation.world import World
from faults.subscriber import QUEUE, Received

Boot = Callable[[], Coroutine[Any, Any, None]]

PATIENCE_S: Final = 9.0


class Replica:
    """One replica of a service: a process, and after its death another."""

    def __init__(self, world: World, name: str, boot: Boot) -> None:
        self.name = name
        self._world, self._boot = world, boot
        self.process = Process(name)
        self.process.alive = False
        self.died: list[Callable[[], None]] = []

    @property
    def alive(self) -> bool:
        """Whether it runs, or could."""
        return self.process.alive

    def start(self) -> None:
        """A new process."""
        self.process = Process(self.name)
        self._world.loop.start(self.process, self._boot()).add_done_callback(self._complain_of)

    def _complain_of(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and self.alive and (error := task.exception()):
            self._world.complain(f"{self.name} ended with {error!r}")

    def kill(self) -> None:
        """SIGKILL."""
        self.process.alive = False
        self._world.bury(self.process)
        for each in self.died:
            each()
        self.died.clear()

    def pause(self) -> None:
        """SIGSTOP."""
        self.process.paused = True

    def resume(self) -> None:
        """SIGCONT."""
        self._world.loop.resume(self.process)


class Cluster:
    """All replicas, by name. `orders`: who is to die at which point, after how many more passes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.events: list[Received] = []
        self.model_calls: list[Call] = []
        self.orders: dict[str, int] = {}
        self.executed: Callable[[Replica, str], None] = lambda replica, point: None
        self._gateways: dict[str, Gateway] = {}
        self.replicas: dict[str, Replica] = {}
        for number in ("1", "2"):
            self._add(f"fix-outcomes-{number}", partial(fix_outcomes, world, number, self._checkpoint))
            self._add(
                f"note-generator-{number}",
                partial(note_generator, world, number, self._checkpoint, self.model_calls.append),
            )
            self._add(f"gateway-{number}", partial(self._gateway, f"gateway-{number}"))

    def _add(self, name: str, boot: Boot) -> None:
        self.replicas[name] = Replica(self.world, name, boot)

    def start(self) -> None:
        """All of them, and the subscriber."""
        self._listen()
        for replica in self.replicas.values():
            replica.start()

    async def _gateway(self, name: str) -> None:
        gateway = self._gateways[name] = Gateway(self.world, name)
        await gateway.run()

    def waiting(self) -> dict[str, float]:
        """Callers that still wait in the gateways."""
        couriers = {
            f"{name} {courier}": getattr(gateway.parts.couriers, courier)
            for name, gateway in self._gateways.items()
            for courier in ("commands", "queries", "previews")
        }
        return {name: courier.unanswered for name, courier in couriers.items()}

    async def send(self, request: Request, _token: str) -> Result:
        """A client's request to some gateway that is there; nothing is known where it dies meanwhile."""
        names = [name for name in self.replicas if name.startswith("gateway")]
        first = request.number % len(names)
        for name in (*names[first:], *names[:first]):
            await self.world.network.hop()
            if self.replicas[name].alive and name in self._gateways:
                return await self._answered(self.replicas[name], self._gateways[name], request)
        return Result(status=None, failure="ConnectError")

    async def _answered(self, replica: Replica, gateway: Gateway, request: Request) -> Result:
        answer: asyncio.Future[Result] = self.world.loop.create_future()

        async def handle() -> None:
            result = await gateway.answer(request)
            if not answer.done():
                answer.set_result(result)

        def reset() -> None:
            if not answer.done():
                answer.set_result(Result(status=None, failure="ReadError"))

        replica.died.append(reset)
        task = self.world.loop.start(replica.process, handle())
        task.add_done_callback(self._complain_of)
        try:
            async with asyncio.timeout(PATIENCE_S):
                result = await answer
                await self.world.network.hop()
                return result
        except TimeoutError:
            return Result(status=None, failure="TimeoutError")

    def _complain_of(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()):
            self.world.complain(f"a route raised {error!r}")

    async def _checkpoint(self, point: str) -> None:
        if point not in self.orders:
            return
        self.orders[point] -= 1
        if self.orders[point] > 0:
            return
        del self.orders[point]
        process = here()
        [replica] = [each for each in self.replicas.values() if each.process is process]
        replica.kill()
        self.executed(replica, point)
        await self.world.loop.create_future()  # it is dead: this never goes on

    def _listen(self) -> None:
        """An independent subscriber, which sees what reaches its queue."""
        queue = self.world.rabbitmq.declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        self.world.rabbitmq.bind(queue, topology.EVENTS, "#")

        def take(queue: Queue, wire: Wire, _at: float) -> None:
            self.events.append(Received(wire.routing_key, wire.message_id, orjson.loads(wire.body)))
            queue.unacknowledged -= 1
            consumer.unacknowledged -= 1

        consumer = Consumer(take, prefetch=1)
        self._subscription = queue, consumer
        queue.consumers.append(consumer)

    def listen_again(self) -> None:
        """After the broker's death."""
        queue, consumer = self._subscription
        if consumer not in queue.consumers:
            queue.consumers.append(consumer)
            self.world.rabbitmq.pump(queue)
