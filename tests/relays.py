"""Relays under names of their own, and who hears what they tell."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from fix_outcomes import relay as relay_module
from fix_outcomes.handlers import Checkpoint
from fix_outcomes.relay import Relay
from fix_outcomes.storage.database import connect
from fix_outcomes_desk import no_checkpoint
from patience import eventually
from places import Broker, Database
from proxy import Proxy
from shared.contracts import topology
from shared.contracts.events import CloudEvent, StateChanges
from shared.contracts.vocabulary import Service
from shared.publisher import Publisher


class Subscriber:
    """A queue of its own on `rf.events`, as a PSA tool has it; and what note-generator is told."""

    def __init__(self) -> None:
        self.events: list[CloudEvent] = []
        self.raw: list[AbstractIncomingMessage] = []
        self.changes: list[StateChanges] = []

    async def hear(self, message: AbstractIncomingMessage) -> None:
        self.raw.append(message)
        self.events.append(CloudEvent.model_validate_json(message.body))

    async def hear_change(self, message: AbstractIncomingMessage) -> None:
        self.changes.append(StateChanges.model_validate_json(message.body))

    def sequences(self, session_id: UUID) -> list[int]:
        """In the order of arrival, repeats and all."""
        return [
            int(event.sequence or 0) for event in self.events if event.data["session_id"] == str(session_id)
        ]

    def first_times(self, session_id: UUID) -> list[int]:
        return list(dict.fromkeys(self.sequences(session_id)))

    def versions_told(self, session_id: UUID) -> list[int]:
        return [
            change.state_version
            for message in self.changes
            for change in message.changes
            if change.session_id == session_id
        ]


class Relays:
    """Relays that run until the test ends; each under a name of its own in the database."""

    def __init__(self, stack: AsyncExitStack, broker: Broker, database: Database) -> None:
        self._stack, self._broker, self._database = stack, broker, database

    async def start(
        self,
        name: str = "relay",
        *,
        through: Proxy | None = None,
        checkpoint: Checkpoint = no_checkpoint,
        keep: timedelta = timedelta(hours=1),
        poll_s: float = 0.02,
    ) -> Relay:
        url = self._broker.url(Service.FIX_OUTCOMES)
        publisher = Publisher(
            url=through.url(url) if through else url,
            service=Service.FIX_OUTCOMES,
            replica=name,
            purpose="relays",
        )
        engine = connect(self._database.relay_url, name=name, connections=1, idle_s=relay_module.IDLE_S)
        relay = Relay(
            engine=engine,
            publisher=publisher,
            checkpoint=checkpoint,
            poll_s=poll_s,
            keep_published=keep,
            keep_answers=keep,
        )
        await publisher.start()
        running = asyncio.create_task(relay.run())
        self._stack.push_async_callback(engine.dispose)
        self._stack.push_async_callback(publisher.stop)
        self._stack.push_async_callback(_cancelled, running)
        return relay

    @asynccontextmanager
    async def others(self) -> AsyncIterator["Relays"]:
        """Relays that end earlier."""
        async with AsyncExitStack() as stack:
            yield Relays(stack, self._broker, self._database)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def told(subscriber: Subscriber, *sessions: tuple[UUID, int]) -> None:
    """Waits until all of the entries of these sessions have arrived, then checks their order."""

    await eventually(
        lambda: all(len(subscriber.first_times(session)) >= count for session, count in sessions)
    )
    for session, count in sessions:
        assert subscriber.first_times(session) == list(range(1, count + 1))


async def unmarked(owner: Any) -> int:
    count: int = await owner.fetchval("select count(*) from outbox where published_at is null")
    return count


async def all_marked(owner: Any) -> None:
    async def done() -> bool:
        return await unmarked(owner) == 0

    await eventually(done)


async def leaders(owner: Any) -> list[Any]:
    """Who holds the relay's lock in this database."""
    found: list[Any] = await owner.fetch(
        "select pid, application_name from pg_locks join pg_stat_activity using (pid)"
        " where locktype = 'advisory' and granted and datname = current_database()"
    )
    return found


async def wait_for_leader(owner: Any) -> list[Any]:
    await eventually(lambda: leaders(owner))
    return await leaders(owner)


@asynccontextmanager
async def full_queue(broker: Broker, account: UUID) -> AsyncIterator[Callable[[], Any]]:
    """A queue on the account's events that is full and refuses what comes; call the result to be rid of it."""
    connection = await aio_pika.connect(broker.admin_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(
            exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"}
        )
        await channel.default_exchange.publish(aio_pika.Message(b"full"), routing_key=queue.name)
        await queue.bind(topology.EVENTS, routing_key=f"{account}.#")
        yield lambda: queue.delete(if_unused=False, if_empty=False)
