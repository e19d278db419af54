"""The three services, put together of the product's own parts as their `create_app` does it, on the world's servers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final

from fix_outcomes import handlers
from fix_outcomes.relay import Relay
from fix_outcomes.subscribers import Subscribers
from note_generator import handlers as note_handlers
from note_generator.aloud import Show
from note_generator.cache import NoteCache, NoteRef
from note_generator.ladder import set_aside
from note_generator.messenger import Messenger
from note_generator.previews import Previews
from note_generator.record import Record
from note_generator.single_flight import SingleFlight
from note_generator.subscribers import Subscribers as NoteSubscribers
from note_generator.waiting_room import Patience, WaitingRoom
from shared.contracts.views import Note, Snapshot
from shared.contracts.vocabulary import Generator, Service
from shared.publisher import Publisher

from faults.llm_log import Call
from faults.simulation.consumers import Consumers
from faults.simulation.questions import Questions
from faults.simulation.world import World

URL: Final = "redis://nowhere"
QUIET_S: Final = 0.3
LEASE_S: Final = 1.5

Checkpoint = Callable[[str], Awaitable[None]]


async def fix_outcomes(world: World, replica: str, checkpoint: Checkpoint) -> None:
    """Decides and remembers, and relays."""
    engine = world.postgres.engine()
    replies = _publisher(Service.FIX_OUTCOMES, replica, "answers and parks")
    relayed = _publisher(Service.FIX_OUTCOMES, replica, "relays")
    relay = Relay(
        engine=world.postgres.engine(),  # type: ignore[arg-type]
        publisher=relayed,
        checkpoint=checkpoint,
        poll_s=0.5,
        keep_published=timedelta(hours=1),
        keep_answers=timedelta(hours=48),
    )
    consumers = Consumers(world.broker, world.rabbitmq, complain=world.complain)
    Subscribers(
        record=partial(handlers.record, engine=engine, clock=world.now, checkpoint=checkpoint),  # type: ignore[arg-type]
        remember_parked=partial(handlers.remember_parked, engine=engine, clock=world.now),  # type: ignore[arg-type]
        answer=Questions(world.postgres).answer,
        publisher=replies,
        committed=relay.wake,
        checkpoint=checkpoint,
    ).subscribe(consumers, batches_at_once=4, questions_at_once=4)  # type: ignore[arg-type]
    await asyncio.gather(replies.start(), relayed.start())
    await asyncio.gather(relay.run(), consumers.run())


async def note_generator(
    world: World, replica: str, checkpoint: Checkpoint, log: Callable[[Call], None]
) -> None:
    """Keeps the notes in step."""
    cache = NoteCache(url=URL, timeout_s=0.5, ttl_s=3_600, lease_s=LEASE_S)

    async def write(ref: NoteRef, snapshot: Snapshot, _show: Show) -> Note:
        """As slow as a model; the words are the client's own."""
        about = f"{ref.kind} of {ref.session_id} at {ref.state_version}"
        log(Call(at=world.loop.time(), about=about, account=str(ref.account_id)))
        await asyncio.sleep(world.rng.uniform(0, world.slowest_note_s))
        return Note(
            session_id=ref.session_id,
            kind=ref.kind,
            state_version=snapshot.session.state_version,
            markdown=snapshot.session.intake_content.text,
            generator=Generator.LLM,
            degraded=False,
            generated_at=world.now(),
        )

    record = Record(amqp_url=URL, replica=replica, timeout_s=4.0)
    publisher = _publisher(Service.NOTE_GENERATOR, replica, "publishes")
    messenger = Messenger(publisher)
    made = note_handlers.Handlers(
        snapshot=record.snapshot,
        notes=SingleFlight(cache=cache, write=write, lease_s=LEASE_S),
        cache=cache,
        announce=messenger.announce,
        quiet_s=QUIET_S,
        clock=world.now,
        checkpoint=checkpoint,
    )
    room = WaitingRoom(
        patience=Patience(quiet_s=QUIET_S, max_wait_s=1.5),
        max_sessions=100,
        workers=4,
        regenerate=made.regenerate,
        set_aside=set_aside(messenger),
    )
    consumers = Consumers(world.broker, world.rabbitmq, complain=world.complain)
    previews = Previews(handlers=made, messenger=messenger, at_once=8, within_s=8.0)
    NoteSubscribers(room=room, previews=previews, messenger=messenger, checkpoint=checkpoint).subscribe(
        consumers,  # type: ignore[arg-type]
        changes_at_once=20,
        previews_at_once=8,
    )
    await asyncio.gather(publisher.start(), record.start())
    room.start()
    await consumers.run()


def _publisher(service: Service, replica: str, purpose: str) -> Publisher:
    return Publisher(url=URL, service=service, replica=replica, purpose=purpose)
