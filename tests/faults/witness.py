"""Who is there all the while and takes no part: hears every event, and sees every note that is stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from faults.record import Addresses
from faults.stored import Watch
from faults.subscriber import Subscriber


@dataclass(frozen=True, slots=True)
class Witness:
    """What was seen so far is in `events.received` and `notes.stored`."""

    events: Subscriber
    notes: Watch


@asynccontextmanager
async def witness(at: Addresses) -> AsyncIterator[Witness]:
    """Of the stack whose servers these are."""
    async with Subscriber(at.amqp_url) as events, Watch(at.redis_url) as notes:
        yield Witness(events, notes)
