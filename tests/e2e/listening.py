"""Those who listen: a browser on the event stream of a session, and a PSA tool with a queue of its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from e2e.client import SESSIONS, Answer, Person
from faults.streams import Frame, frames
from shared.contracts import topology

WITHIN_S = 20


class Viewer:
    """An open event stream; `next` gives what comes, and what came is kept in `seen`."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.seen: list[Frame] = []
        self._frames = frames(answer.response.aiter_lines())

    async def next(self) -> Frame:
        """The next event; heartbeats are passed over."""
        async with asyncio.timeout(WITHIN_S):
            found = await anext(self._frames)
        self.seen.append(found)
        return found

    async def until(self, event: str) -> Frame:
        """The next event of this name."""
        while True:
            found = await self.next()
            if found.event == event:
                return found

    async def until_sequence(self, sequence: int) -> list[int]:
        """The sequences from here to this one, as they came."""
        came: list[int] = []
        while not came or came[-1] < sequence:
            found = await self.next()
            if found.id is not None:
                came.append(found.id)
        return came


@asynccontextmanager
async def watching(
    person: Person, session_id: UUID, *, after: int | None = None, gateway: str | None = None
) -> AsyncIterator[Viewer]:
    """The session's events as this person sees them; `after` is the Last-Event-ID."""
    headers = {"Authorization": f"Bearer {person.token}"}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    path = f"{SESSIONS}/{session_id}/events"
    address = f"{gateway}{path}" if gateway else person.address(path)
    async with person.http.stream("GET", address, headers=headers, timeout=WITHIN_S) as response:
        if response.status_code != 200:
            await response.aread()
        yield Viewer(Answer(response))


@asynccontextmanager
async def previewing(person: Person, session_id: UUID, document: str) -> AsyncIterator[Viewer]:
    """A preview as it comes about."""
    path = f"{SESSIONS}/{session_id}/{document}/preview?stream=true"
    headers = {"Authorization": f"Bearer {person.token}"}
    async with person.http.stream(
        "POST", person.address(path), headers=headers, timeout=WITHIN_S
    ) as response:
        yield Viewer(Answer(response))


@dataclass(frozen=True)
class Delivered:
    """One message as a subscriber gets it."""

    routing_key: str
    content_type: str | None
    message_id: str | None
    event: dict[str, Any]

    @classmethod
    def of(cls, message: AbstractIncomingMessage) -> "Delivered":
        event = json.loads(message.body)
        return cls(message.routing_key or "", message.content_type, message.message_id, event)

    @property
    def name(self) -> str:
        """`fix.outcome_recorded`."""
        return ".".join(self.routing_key.split(".")[2:])

    @property
    def sequence(self) -> int | None:
        return int(self.event["sequence"]) if self.event.get("sequence") else None


class Subscriber:
    """A PSA tool; `got` is all that its queue brought."""

    def __init__(self) -> None:
        self.got: list[Delivered] = []

    def sequences(self, session_id: UUID) -> list[int]:
        """The changes of a session, as they came."""
        own = f".{session_id}."
        return [each.sequence for each in self.got if own in each.routing_key and each.sequence is not None]

    def changes(self) -> list[Delivered]:
        """All but the notes."""
        return [each for each in self.got if each.sequence is not None]


@asynccontextmanager
async def subscribed(amqp_url: str, account_id: UUID) -> AsyncIterator[Subscriber]:
    """A queue bound to everything of this account; as an administrator, until there are users for it."""
    subscriber = Subscriber()

    async def on_message(message: AbstractIncomingMessage) -> None:
        subscriber.got.append(Delivered.of(message))

    connection = await aio_pika.connect_robust(amqp_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(f"psa-{account_id}.e2e", durable=True, auto_delete=False)
        try:
            await queue.bind(topology.EVENTS, f"{account_id}.#")
            await queue.consume(on_message, no_ack=True)
            yield subscriber
        finally:
            await queue.delete(if_unused=False, if_empty=False)
