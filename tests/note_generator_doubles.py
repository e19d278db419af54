"""What stands around note-generator in its tests: fix-outcomes, the gateway, and a listener."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID, uuid4

import aio_pika
import httpx
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from faststream.asgi import AsgiFastStream
from note_generator.app import create_app
from note_generator.settings import Settings
from patience import eventually
from places import Broker
from prometheus_client import REGISTRY
from pydantic import SecretStr
from shared.contracts import topology
from shared.contracts.answers import Answer, Answers
from shared.contracts.events import StateChange, StateChanges
from shared.contracts.queries import Query, QueryBatch, WriteNote
from shared.contracts.views import Snapshot
from shared.contracts.vocabulary import NoteKind, Service
from shared.courier import Courier, Destination
from unit.note_generator.note_stories import Story

ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000a")

Checkpoint = Callable[[str], Awaitable[None]]


async def passed(_: str) -> None:
    """A checkpoint where nothing happens."""


def fresh_story(**more: Any) -> Story:
    """A session that no other test has."""
    return Story(session_id=uuid4(), **more)


@dataclass
class Surroundings:
    """A virtual host with fix-outcomes' part of it played: snapshots are answered, changes are told."""

    broker: Broker
    redis_url: str
    sessions: dict[UUID, Callable[[], Snapshot]] = field(default_factory=dict)
    snapshots_asked: int = 0
    refuse_with: int | None = None
    silent: set[UUID] = field(default_factory=set)
    unreadable: set[UUID] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _channel: AbstractChannel | None = None

    async def __aenter__(self) -> Self:
        connection = await aio_pika.connect(self.broker.url(Service.FIX_OUTCOMES))
        await self._stack.enter_async_context(connection)
        self._channel = await connection.channel()
        questions = await self._channel.get_queue(topology.FIX_OUTCOMES_QUERIES.name, ensure=False)
        await questions.consume(self._on_questions, no_ack=True)
        admin = await aio_pika.connect(self.broker.admin_url)
        await self._stack.enter_async_context(admin)
        listening = await admin.channel()
        queue = await listening.declare_queue(exclusive=True)
        await queue.bind(topology.EVENTS, "#")
        await queue.consume(self._on_event, no_ack=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def tell(self, story: Story) -> None:
        """Let the record know a session, as its story stands whenever it is asked."""
        self.sessions[story.session_id] = story.snapshot

    async def publish(self, body: bytes, headers: dict[str, Any] | None = None) -> None:
        """Put a message where the relay puts state changes."""
        assert self._channel
        exchange = await self._channel.get_exchange(topology.CHANGES, ensure=False)
        message = aio_pika.Message(
            body,
            headers=headers or {},
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            user_id="fix-outcomes",
        )
        await exchange.publish(message, topology.NOTE_GENERATOR_STATE_CHANGES.key)

    async def changed(self, *stories: Story, account: UUID = ACCOUNT) -> None:
        """One delivery that names these sessions."""
        changes = tuple(
            StateChange(account_id=account, session_id=story.session_id, state_version=story.version)
            for story in stories
        )
        await self.publish(StateChanges(changes=changes).model_dump_json().encode())

    def announced(self, story: Story) -> list[tuple[str, int]]:
        """The notes of a session that were announced, as (kind, version)."""
        data = [event["data"] for event in self.events]
        return [(d["kind"], d["state_version"]) for d in data if d["session_id"] == str(story.session_id)]

    async def ready(self, queue: str) -> int:
        """Messages in a queue that nobody holds; once a consumer has gone, those that it did not acknowledge too."""
        async with await aio_pika.connect(self.broker.admin_url) as admin:
            channel = await admin.channel()
            declared = await channel.declare_queue(queue, passive=True)
            return int(declared.declaration_result.message_count or 0)

    async def parked(self) -> AbstractIncomingMessage | None:
        """Take one parked message, as an operator would."""
        async with await aio_pika.connect(self.broker.admin_url) as admin:
            channel = await admin.channel()
            queue = await channel.get_queue(topology.NOTE_GENERATOR_STATE_CHANGES.parked, ensure=False)
            return await queue.get(no_ack=True, fail=False)

    def settings(self, **more: Any) -> Settings:
        """Settings for a quick note-generator here."""
        values: dict[str, Any] = {
            "port": 1,
            "amqp_url": SecretStr(self.broker.url(Service.NOTE_GENERATOR)),
            "redis_url": SecretStr(self.redis_url),
            "quiet_s": 0.15,
            "max_wait_s": 0.8,
            "snapshot_s": 1.0,
            "lease_s": 1.0,
            "replica": uuid4().hex[:8],
            "shutdown_s": 2.0,
        }
        return Settings(**(values | more))

    @asynccontextmanager
    async def running(self, checkpoint: Checkpoint = passed, **more: Any) -> AsyncIterator[None]:
        """A note-generator, from when it consumes until it has stopped."""
        app = create_app(
            self.settings(**more), clock=lambda: datetime(2030, 1, 1, tzinfo=UTC), checkpoint=checkpoint
        )
        async with app.start_lifespan_context():
            await until(lambda: _is_ready(app))
            yield

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Courier[Query]]:
        """The gateway's courier of previews."""
        courier: Courier[Query] = Courier(
            url=self.broker.url(Service.GATEWAY),
            service=Service.GATEWAY,
            replica=uuid4().hex[:8],
            destination=Destination(
                exchange=topology.QUERIES,
                routing_key=topology.NOTE_GENERATOR_PREVIEWS.routing_key,
                persistent=False,
                encode=lambda queries: QueryBatch(queries=tuple(queries)).model_dump_json().encode(),
            ),
        )
        await courier.start()
        try:
            yield courier
        finally:
            await courier.stop()

    async def _on_questions(self, message: AbstractIncomingMessage) -> None:
        assert self._channel
        batch = QueryBatch.model_validate_json(message.body)
        self.snapshots_asked += len(batch.queries)
        heard = [
            query for query in batch.queries if getattr(query.question, "session_id", None) not in self.silent
        ]
        if self.refuse_with == 0 or not heard:
            return
        answers = Answers(answers=tuple(self._answer(query) for query in heard))
        key, _, exchange = str(message.reply_to).partition("|")
        replies = await self._channel.get_exchange(exchange, ensure=False)
        await replies.publish(aio_pika.Message(answers.model_dump_json().encode()), key, mandatory=False)

    def _answer(self, query: Query) -> Answer:
        session_id = getattr(query.question, "session_id", None)
        if self.refuse_with:
            return Answer(
                ref=query.ref, status=self.refuse_with, body={"code": "unavailable", "detail": "away"}
            )
        if query.account_id != ACCOUNT or session_id not in self.sessions:
            return Answer(ref=query.ref, status=404, body={"code": "not_found", "detail": "no such session"})
        if session_id in self.unreadable:
            return Answer(ref=query.ref, status=200, body={"session": "nonsense"})
        snapshot = self.sessions[session_id]().model_dump(mode="json", by_alias=True)
        return Answer(ref=query.ref, status=200, body=snapshot)

    async def _on_event(self, message: AbstractIncomingMessage) -> None:
        event = json.loads(message.body)
        assert message.message_id == event["id"]
        self.events.append(event)


async def status(app: AsgiFastStream, path: str) -> int:
    """What it answers over HTTP."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://note-generator.test") as client:
        return (await client.get(path)).status_code


async def _is_ready(app: AsgiFastStream) -> bool:
    return await status(app, "/readyz") == 200


def outages(what: str) -> float:
    """How often something was given up for now, in this process, because `what` does not answer."""
    return REGISTRY.get_sample_value("rf_note_generator_outages_total", {"what": what}) or 0.0


async def until(holds: Callable[[], Any], within_s: float = 10.0) -> None:
    """Wait for something to become true."""
    await eventually(holds, within_s=within_s)


def asked(
    story: Story, kind: NoteKind = NoteKind.RESOLUTION_NOTE, account: UUID = ACCOUNT
) -> Callable[[int], Query]:
    """Makes the question for a preview."""
    question = WriteNote(session_id=story.session_id, note=kind)
    return lambda ref: Query(ref=ref, account_id=account, question=question)
