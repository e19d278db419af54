"""What comes in from RabbitMQ: state changes, which are kept until they are done, and previews."""

from dataclasses import dataclass
from typing import Final

from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage, RabbitQueue
from pydantic import TypeAdapter, ValidationError
from shared.consuming import settle, undecoded
from shared.contracts import topology
from shared.contracts.events import StateChanges

from note_generator.checkpoints import Checkpoint
from note_generator.ladder import attempts_of, park_malformed, traceparent_of
from note_generator.messenger import Messenger
from note_generator.metrics import CHANGES
from note_generator.previews import Previews
from note_generator.waiting_room import Delivery, WaitingRoom

_STATE_CHANGES: Final = TypeAdapter(StateChanges)


@dataclass(frozen=True, slots=True)
class Subscribers:
    """The consumers of this service. Their queues are declared by the administrator alone."""

    room: WaitingRoom
    previews: Previews
    messenger: Messenger
    checkpoint: Checkpoint

    def subscribe(self, broker: RabbitBroker, *, changes_at_once: int, previews_at_once: int) -> None:
        """Consume; the limits are the prefetch counts."""
        for name, handler, at_once in (
            (topology.NOTE_GENERATOR_STATE_CHANGES.name, self.on_state_changes, changes_at_once),
            (topology.NOTE_GENERATOR_PREVIEWS.name, self.on_previews, previews_at_once),
        ):
            broker.subscriber(
                RabbitQueue(name, declare=False),
                channel=Channel(prefetch_count=at_once),
                ack_policy=AckPolicy.MANUAL,
                decoder=undecoded,
                no_reply=True,
            )(handler)

    async def on_state_changes(self, message: RabbitMessage) -> None:
        """Let the sessions wait; the message is acknowledged when all of them are done."""
        try:
            changes = _STATE_CHANGES.validate_json(message.body).changes
        except ValidationError:
            await park_malformed(message, messenger=self.messenger)
            await settle(message)
            return
        CHANGES.inc(len(changes))

        async def done() -> None:
            await self.checkpoint("before ack")
            await settle(message)

        delivery = Delivery(done, attempts=attempts_of(message), traceparent=traceparent_of(message))
        await self.room.take(delivery, changes)

    async def on_previews(self, message: RabbitMessage) -> None:
        """Answer, then acknowledge: what a killed replica was writing is answered by another.

        So the prefetch bounds the work, and what waits too long is dropped by the queue's time to live.
        """
        await self.previews.answer(message)
        await settle(message)
