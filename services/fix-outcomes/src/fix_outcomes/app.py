"""fix-outcomes put together: the one place where its objects are made."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from faststream.asgi import AsgiFastStream
from shared.consuming import create_broker
from shared.contracts.vocabulary import Service
from shared.publisher import Publisher

from fix_outcomes import handlers
from fix_outcomes.handlers import Checkpoint, Clock
from fix_outcomes.relay import IDLE_S, Relay
from fix_outcomes.settings import Settings
from fix_outcomes.storage import commands, database
from fix_outcomes.subscribers import Subscribers
from shared import health

_PING_S = 1.0
_CLOSING_S = 1.5


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


async def no_checkpoint(_name: str) -> None:
    """Crash tests stop here; nobody else does."""


def create_app(
    settings: Settings, *, clock: Clock = utc_now, checkpoint: Checkpoint = no_checkpoint
) -> AsgiFastStream:
    """The service as an ASGI app: its lifespan consumes, its routes are health, readiness and metrics."""
    amqp_url = settings.amqp_url.get_secret_value()
    name = f"fix-outcomes {settings.replica}"
    engine = database.connect(
        settings.database_url.get_secret_value(), name=name, connections=settings.connections
    )
    relay_engine = database.connect(
        settings.relay_database_url.get_secret_value(), name=f"{name} relay", connections=1, idle_s=IDLE_S
    )
    replies = _publisher(settings, "answers and parks")
    relayed = _publisher(settings, "relays")
    relay = Relay(
        engine=relay_engine,
        publisher=relayed,
        checkpoint=checkpoint,
        poll_s=settings.relay_poll_s,
        keep_published=timedelta(hours=settings.keep_published_h),
        keep_answers=timedelta(hours=settings.keep_answers_h),
    )
    broker = create_broker(amqp_url=amqp_url, queues=Subscribers.QUEUES, shutdown_s=settings.shutdown_s / 2)
    Subscribers(
        record=partial(handlers.record, engine=engine, clock=clock, checkpoint=checkpoint),
        remember_parked=partial(handlers.remember_parked, engine=engine, clock=clock),
        answer=partial(handlers.answer, engine=engine),
        publisher=replies,
        committed=relay.wake,
        checkpoint=checkpoint,
    ).subscribe(
        broker, batches_at_once=settings.batches_at_once, questions_at_once=settings.questions_at_once
    )

    async def readiness() -> Mapping[str, bool]:
        return {
            "broker": broker.consuming and replies.ready and relayed.ready,
            "database": await database.understands(engine, commands.WRITE, timeout_s=_PING_S),
        }

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await asyncio.gather(replies.start(), relayed.start())
        relaying = asyncio.create_task(relay.run(), name="relay")
        try:
            yield
        finally:
            relaying.cancel()
            # A server that is silent is not waited for: what it was told is known to it, or comes again.
            await asyncio.wait((relaying,), timeout=_CLOSING_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING_S):
                    await asyncio.gather(
                        replies.stop(), relayed.stop(), engine.dispose(), relay_engine.dispose()
                    )

    return AsgiFastStream(broker, asgi_routes=health.routes(readiness), lifespan=lifespan, logger=None)


def _publisher(settings: Settings, purpose: str) -> Publisher:
    return Publisher(
        url=settings.amqp_url.get_secret_value(),
        service=Service.FIX_OUTCOMES,
        replica=settings.replica,
        purpose=purpose,
    )
