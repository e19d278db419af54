"""A RabbitMQ in memory: the product's own topology, and what a broker promises of it, no more.

A confirmed persistent message is delivered until it is acknowledged, perhaps repeatedly, perhaps out of its order;
transient ones may vanish. A connection may break before a confirm, and when the broker dies all of them do.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from shared.contracts import topology

from faults.simulation.network import Network

_DECLARED: Final = tuple(queue.name for queue in topology.queues())
_REPEATED_WITHIN_S: Final = 0.4


class Wire(NamedTuple):
    """A message as it travels."""

    body: bytes
    exchange: str
    routing_key: str
    message_id: str | None = None
    reply_to: str | None = None
    user_id: str | None = None
    headers: Mapping[str, Any] = MappingProxyType({})
    persistent: bool = True
    expires_s: float | None = None
    deliveries: int = 0


@dataclass(slots=True, eq=False)
class Consumer:
    """Who takes from a queue. `last_at`: one connection delivers in order."""

    deliver: Callable[["Queue", Wire, float], None]
    prefetch: int
    unacknowledged: int = 0
    last_at: float = 0.0


@dataclass(slots=True, eq=False)
class Queue:
    """Messages in their order, and who takes them."""

    name: str
    durable: bool
    arguments: Mapping[str, Any] = field(default_factory=dict)
    messages: deque[Wire] = field(default_factory=deque)
    consumers: list[Consumer] = field(default_factory=list)
    unacknowledged: int = 0
    turn: int = 0

    @property
    def quorum(self) -> bool:
        """Whether it outlives the broker's death with its messages."""
        return self.arguments.get("x-queue-type") == "quorum"

    @property
    def depth(self) -> int:
        """Everything that is not acknowledged."""
        return len(self.messages) + self.unacknowledged


class RabbitMQ:
    """Exchanges, queues and bindings, as `topology apply` would have made them."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.up = True
        self.queues: dict[str, Queue] = {}
        self.life = 0
        self._bindings: dict[str, list[tuple[str, Queue]]] = {name: [] for name in topology.EXCHANGES}
        for declared in topology.queues():
            queue = self.declare(declared.name, durable=True, arguments=declared.arguments)
            self.bind(queue, declared.exchange, declared.routing_key)

    def declare(self, name: str, *, durable: bool, arguments: Mapping[str, Any] | None = None) -> Queue:
        """A queue; the same one where it is there."""
        return self.queues.setdefault(name, Queue(name, durable, arguments or {}))

    def bind(self, queue: Queue, exchange: str, routing_key: str) -> None:
        """Have it fed."""
        if (routing_key, queue) not in self._bindings[exchange]:
            self._bindings[exchange].append((routing_key, queue))

    def unbind(self, queue: Queue, exchange: str, routing_key: str) -> None:
        """Have it fed no more."""
        self._bindings[exchange].remove((routing_key, queue))

    def bound(self, queue: Queue, exchange: str) -> bool:
        """Whether an exchange feeds it."""
        return any(fed is queue for _, fed in self._bindings[exchange])

    def delete(self, queue: Queue) -> None:
        """It is gone, with its bindings and messages."""
        self.queues.pop(queue.name, None)
        for exchange, bindings in self._bindings.items():
            self._bindings[exchange] = [bound for bound in bindings if bound[1] is not queue]

    def crash(self) -> None:
        """The broker dies: transient messages and exclusive queues with it, and every connection."""
        self.up = False
        self.life += 1
        for queue in list(self.queues.values()):
            queue.consumers.clear()
            if not queue.durable:
                self.delete(queue)
            elif not queue.quorum:
                queue.messages.clear()

    def route(self, wire: Wire) -> bool:
        """Put it into every queue that is bound to it; whether there is one."""
        queues = [queue for key, queue in self._bindings[wire.exchange] if _fits(key, wire.routing_key)]
        for queue in queues:
            self.put(queue, wire)
            if wire.persistent and queue.durable and self.network.is_repeated():
                after_s = self.network.rng.uniform(0, _REPEATED_WITHIN_S)
                asyncio.get_running_loop().call_later(after_s, self.put, queue, wire, context=Context())
        return bool(queues)

    def put(self, queue: Queue, wire: Wire) -> None:
        """Into the queue; a wait queue gives it back to the work queue when its time is over."""
        if not wire.persistent and self.network.is_dropped():
            return
        if (ttl_ms := queue.arguments.get("x-message-ttl")) and queue.quorum:
            queue.unacknowledged += 1
            loop = asyncio.get_running_loop()
            loop.call_later(ttl_ms / 1_000, self._expired, queue, wire, context=Context())
            return
        queue.messages.append(wire)
        self.pump(queue)

    def _expired(self, queue: Queue, wire: Wire) -> None:
        queue.unacknowledged -= 1
        self._dead_letter(queue, wire, reason="expired")

    def returned(self, queue: Queue, wire: Wire) -> None:
        """A delivery that was not acknowledged: again, or to parking when workers died of it too often."""
        queue.unacknowledged -= 1
        if not (queue.quorum or self.up):
            return
        again = wire._replace(deliveries=wire.deliveries + 1)
        if again.deliveries > queue.arguments.get("x-delivery-limit", again.deliveries):
            self._dead_letter(queue, again, reason="delivery_limit")
        else:
            queue.messages.appendleft(again)
            self.pump(queue)

    def _dead_letter(self, queue: Queue, wire: Wire, *, reason: str) -> None:
        death = {"queue": queue.name, "reason": reason, "count": 1}
        self.route(
            wire._replace(
                exchange=queue.arguments["x-dead-letter-exchange"],
                routing_key=queue.arguments["x-dead-letter-routing-key"],
                headers={**wire.headers, "x-death": [death]},
                deliveries=0,
            )
        )

    def pump(self, queue: Queue) -> None:
        """Deliver what can be delivered."""
        while queue.messages and self.up and (consumer := self._free(queue)) is not None:
            wire = queue.messages.popleft()
            queue.unacknowledged += 1
            consumer.unacknowledged += 1
            arrives = asyncio.get_running_loop().time() + self.network.delay_s()
            consumer.last_at = max(consumer.last_at, arrives)
            consumer.deliver(queue, wire, consumer.last_at)

    @staticmethod
    def _free(queue: Queue) -> Consumer | None:
        """The next consumer that may have one more."""
        for _ in range(len(queue.consumers)):
            queue.turn = (queue.turn + 1) % len(queue.consumers)
            consumer = queue.consumers[queue.turn]
            if consumer.unacknowledged < consumer.prefetch:
                return consumer
        return None


def _fits(key: str, routing_key: str) -> bool:
    """Whether a topic's pattern fits: the product uses none but a tail of any length."""
    return key in {routing_key, "#"} or (key.endswith(".#") and routing_key.startswith(key[:-1]))


def depths(rabbitmq: RabbitMQ) -> Iterator[tuple[str, int]]:
    """How much every declared queue holds, delivered or not."""
    for name in _DECLARED:
        yield name, rabbitmq.queues[name].depth
