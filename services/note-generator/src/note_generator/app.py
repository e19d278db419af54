"""Everything that this service is made of, put together in one place."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from faststream.asgi import AsgiFastStream
from shared.consuming import create_broker
from shared.contracts.topology import NOTE_GENERATOR_PREVIEWS, NOTE_GENERATOR_STATE_CHANGES
from shared.contracts.views import Note, Snapshot
from shared.contracts.vocabulary import Service
from shared.health import routes
from shared.publisher import Publisher

from note_generator.aloud import Show
from note_generator.cache import NoteCache, NoteRef
from note_generator.checkpoints import Checkpoint, no_checkpoint
from note_generator.frugal import FrugalWriter
from note_generator.handlers import Clock, Handlers, write_note
from note_generator.ladder import set_aside
from note_generator.ledger import Ledger
from note_generator.messenger import Messenger
from note_generator.previews import Previews
from note_generator.record import Record
from note_generator.settings import Settings
from note_generator.single_flight import SingleFlight
from note_generator.subscribers import Subscribers
from note_generator.waiting_room import Patience, WaitingRoom
from note_generator.writer import CheckedWriter, TemplateWriter, Writer


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings, *, clock: Clock = _now, checkpoint: Checkpoint = no_checkpoint
) -> AsgiFastStream:
    """The service as an ASGI app, consuming while its lifespan lasts."""
    amqp_url = settings.amqp_url.get_secret_value()
    cache = NoteCache(
        url=settings.redis_url.get_secret_value(),
        timeout_s=settings.redis_timeout_s,
        ttl_s=settings.note_ttl_s,
        lease_s=settings.lease_s,
    )

    writer = create_writer(settings, cache=cache, clock=clock, checkpoint=checkpoint)

    async def write(ref: NoteRef, snapshot: Snapshot, show: Show) -> Note:
        return await write_note(
            snapshot, ref.kind, account_id=ref.account_id, writer=writer, clock=clock, show=show
        )

    record = Record(amqp_url=amqp_url, replica=settings.replica, timeout_s=settings.snapshot_s)
    publisher = Publisher(
        url=amqp_url, service=Service.NOTE_GENERATOR, replica=settings.replica, purpose="publishes"
    )
    messenger = Messenger(publisher)
    notes = SingleFlight(cache=cache, write=write, lease_s=settings.lease_s)
    handlers = Handlers(
        snapshot=record.snapshot,
        notes=notes,
        cache=cache,
        announce=messenger.announce,
        quiet_s=settings.quiet_s,
        clock=clock,
        checkpoint=checkpoint,
        lazy=settings.lazy,
    )
    room = WaitingRoom(
        patience=Patience(quiet_s=settings.quiet_s, max_wait_s=settings.max_wait_s),
        max_sessions=settings.max_sessions,
        workers=settings.writers,
        regenerate=handlers.regenerate,
        set_aside=set_aside(messenger),
    )
    broker = create_broker(
        amqp_url=amqp_url,
        queues=(NOTE_GENERATOR_STATE_CHANGES.name, NOTE_GENERATOR_PREVIEWS.name),
        shutdown_s=settings.shutdown_s / 4,
    )
    previews = Previews(
        handlers=handlers,
        messenger=messenger,
        at_once=settings.previews_at_once,
        within_s=settings.preview_s,
    )
    Subscribers(room=room, previews=previews, messenger=messenger, checkpoint=checkpoint).subscribe(
        broker, changes_at_once=settings.prefetch, previews_at_once=settings.previews_at_once
    )

    async def readiness() -> Mapping[str, bool]:
        # Redis is not asked: without it notes are still written, and other replicas could do no better.
        return {"consuming": broker.consuming, "publishing": publisher.ready, "asking": record.ready}

    async def start() -> None:
        await asyncio.gather(publisher.start(), record.start())
        room.start()

    async def drain() -> None:
        await room.stop(within_s=settings.shutdown_s / 2)
        await notes.stop()

    async def close() -> None:
        await asyncio.gather(record.stop(), publisher.stop(), cache.close(), writer.close())

    return AsgiFastStream(
        broker,
        asgi_routes=routes(readiness),
        logger=None,
        on_startup=(start,),
        on_shutdown=(drain,),
        after_shutdown=(close,),
    )


def create_writer(
    settings: Settings, *, cache: NoteCache, clock: Clock = _now, checkpoint: Checkpoint = no_checkpoint
) -> Writer:
    """The template; with a key for a model, that first."""
    template, key = TemplateWriter(), settings.anthropic_api_key
    if key is None:
        return template
    # The SDK doubles the time of a start and the memory: only who uses it pays for it.
    from note_generator.llm import anthropic_model, prompts_version

    ledger = Ledger(cache=cache, budget_usd=settings.budget_usd_per_day, clock=clock)
    model = anthropic_model(settings, key=key, ledger=ledger, checkpoint=checkpoint)
    return FrugalWriter(
        first=CheckedWriter(model=model, otherwise=template),
        template=template,
        cache=cache,
        made_by=f"{settings.model}/{prompts_version()}",
    )
