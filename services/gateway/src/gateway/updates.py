"""Events for the sessions that somebody watches here, and for no others: one queue per connection, bound on demand."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue
from shared.broker import BROKER_ERRORS, BrokerConnection, cancelled_by_us_alone
from shared.contracts import topology
from shared.contracts.events import name_of
from shared.contracts.vocabulary import Service
from shared.logs import logger

from gateway.problems import too_many, unavailable

log = logger(__name__)

_BIND_TIMEOUT_S: Final = 2.0
_BOUND_AT_ONCE: Final = 25
_LONGEST_QUEUE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Update:
    """One event as a viewer gets it: a change of the session with its sequence, or a note with its version."""

    sequence: int | None
    note: tuple[str, int] | None
    frame: bytes

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Update":
        """The update for a CloudEvent. Raises KeyError, TypeError, AttributeError or ValueError if it is none."""
        name = name_of(event["type"])
        if event.get("sequence"):
            sequence = int(event["sequence"])
            return cls(sequence, None, frame(event=name, data=event, sequence=sequence))
        note = str(event["data"]["kind"]), int(event["data"]["state_version"])
        return cls(None, note, frame(event=name, data=event))


def frame(*, event: str, data: object, sequence: int | None = None) -> bytes:
    """A server-sent event. JSON as it is written here has no line break inside."""
    position = b"" if sequence is None else b"id: %d\n" % sequence
    return b"%sevent: %s\ndata: %s\n\n" % (position, event.encode(), orjson.dumps(data))


class Viewer:
    """What one stream has not sent yet. Too much of it: it is forgotten, and the stream is behind."""

    def __init__(self, *, buffer: int) -> None:
        self._updates: deque[Update] = deque()
        self._buffer = buffer
        self._wake = asyncio.Event()
        self._behind = False

    def offer(self, update: Update) -> None:
        """Add an update, unless there are too many."""
        if len(self._updates) >= self._buffer:
            self.fall_behind()
        else:
            self._updates.append(update)
            self._wake.set()

    def fall_behind(self) -> None:
        """Updates were lost on the way to this viewer: the journal has them."""
        self._updates.clear()
        self._behind = True
        self._wake.set()

    def caught_up(self) -> bool:
        """Whether nothing was lost since the last time this was asked."""
        behind, self._behind = self._behind, False
        return not behind

    def take(self) -> Sequence[Update]:
        """What there is. A viewer that has fallen behind since it was asked is not let sleep."""
        updates = tuple(self._updates)
        self._updates.clear()
        if not self._behind:
            self._wake.clear()
        return updates

    async def wait(self, timeout_s: float) -> bool:
        """Whether there is something within this time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True


class Updates:
    """The viewers of this process, and the queue that feeds them."""

    def __init__(self, *, url: str, replica: str, viewers: int, viewers_each: int, buffer: int) -> None:
        self._replica, self._buffer = replica, buffer
        self._limit, self._limit_each = viewers, viewers_each
        self._viewers: dict[str, set[Viewer]] = {}
        self._queue: AbstractQueue | None = None
        self._binding = asyncio.Lock()
        self._settling: asyncio.Task[None] | None = None
        self._connection = BrokerConnection(
            url=url, name=f"gateway {replica} updates", setup=self._set_up, lost=self._on_lost
        )
        self.ending = asyncio.Event()

    @property
    def viewers(self) -> int:
        """Streams that are open."""
        return sum(map(len, self._viewers.values()))

    def start(self) -> None:
        """Connect, in the background."""
        self._connection.start()

    def end(self) -> None:
        """Let every stream end, and begin no other."""
        self.ending.set()

    async def stop(self) -> None:
        """Close."""
        self.end()
        await self._connection.stop()

    @asynccontextmanager
    async def watch(self, *, account_id: UUID, session_id: UUID) -> AsyncIterator[Viewer]:
        """What happens to this session from now on. Raises 503 where too many watch; 429: too many of one account."""
        self._admit(account_id)
        topic, viewer = f"{account_id}.{session_id}", Viewer(buffer=self._buffer)
        self._viewers.setdefault(topic, set()).add(viewer)
        try:
            await self._settle(topic)
            yield viewer
        finally:
            self._viewers[topic].discard(viewer)
            if not self._viewers[topic]:
                del self._viewers[topic]
                await self._settle(topic)

    def _admit(self, account_id: UUID) -> None:
        if self.ending.is_set() or self.viewers >= self._limit:
            raise unavailable("No more event streams can be opened here now")
        own = (viewers for topic, viewers in self._viewers.items() if topic.startswith(f"{account_id}."))
        if sum(map(len, own)) >= self._limit_each:
            raise too_many("Your account has too many event streams open here")

    async def _settle(self, topic: str) -> None:
        """Bind what is watched, unbind what is not. Without a connection: the next one binds all."""
        async with self._binding_of() as queue:
            if queue is not None:
                change = queue.bind if topic in self._viewers else queue.unbind
                await change(topology.EVENTS, f"{topic}.#")

    @asynccontextmanager
    async def _binding_of(self) -> AsyncIterator[AbstractQueue | None]:
        """The queue, if there is one, to change its bindings. If that fails, the next connection binds all."""
        async with self._binding:
            queue = self._queue
            try:
                async with asyncio.timeout(_BIND_TIMEOUT_S):
                    with cancelled_by_us_alone():
                        yield queue
            except BROKER_ERRORS as error:
                log.warning("binding failed", reason=type(error).__name__)
                if queue is self._queue:
                    self._queue = None
                    self._connection.drop()

    async def _set_up(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=False)
        channel.close_callbacks.add(lambda *_: self._connection.drop())
        name = topology.private_queue(Service.GATEWAY, self._replica, uuid4().hex[:12], "updates")
        queue = await channel.declare_queue(
            name,
            exclusive=True,
            auto_delete=True,
            durable=False,
            arguments={"x-max-length": _LONGEST_QUEUE},
        )
        await queue.consume(self._on_event, no_ack=True)
        self._queue = queue
        self._settling = asyncio.create_task(self._settle_all(), name="bindings")

    async def _settle_all(self) -> None:
        """As in a set-up, a library may raise anything; what it has not bound, the next connection binds."""
        try:
            await self._bind_watched()
        except Exception:
            log.exception("binding failed")
            self._connection.drop()

    async def _bind_watched(self) -> None:
        """Bind what was watched before there was this connection, however much: each part has a time of its own."""
        topics = tuple(self._viewers)
        for first in range(0, len(topics), _BOUND_AT_ONCE):
            part = topics[first : first + _BOUND_AT_ONCE]
            async with self._binding_of() as queue:
                watched = [topic for topic in part if topic in self._viewers]
                if queue is not None and watched:
                    await _bind(queue, watched)
            if self._queue is None:
                return
            for viewer in (viewer for topic in watched for viewer in self._viewers.get(topic, ())):
                viewer.fall_behind()

    def _on_lost(self) -> None:
        self._queue = None
        if self._settling is not None:
            self._settling.cancel()

    async def _on_event(self, message: AbstractIncomingMessage) -> None:
        self.deliver(message.routing_key or "", message.body)

    def deliver(self, routing_key: str, body: bytes) -> None:
        """Offer an event to those who watch its session."""
        topic = ".".join(routing_key.split(".")[:2])
        viewers = self._viewers.get(topic)
        if not viewers:
            return
        try:
            update = Update.of(orjson.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("unreadable event", size=len(body))
            return
        for viewer in viewers:
            viewer.offer(update)


async def _bind(queue: AbstractQueue, topics: Sequence[str]) -> None:
    """Bind them all in one round trip: a channel does what it is told in order, so that its last answer is for all."""
    *others, last = topics
    channel = await queue.channel.get_underlay_channel()
    for topic in others:
        await channel.queue_bind(queue.name, topology.EVENTS, f"{topic}.#", nowait=True)
    await queue.bind(topology.EVENTS, f"{last}.#")
