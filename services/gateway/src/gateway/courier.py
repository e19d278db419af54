"""The gateway's three couriers, and how their batches are written."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts import topology
from shared.contracts.commands import Command, CommandBatch
from shared.contracts.queries import Query, QueryBatch
from shared.contracts.vocabulary import Service
from shared.courier import Courier, Destination, Limits

from gateway.settings import Settings


def _commands(batch: Sequence[Command]) -> bytes:
    return CommandBatch(commands=tuple(batch)).model_dump_json(by_alias=True).encode()


def _queries(batch: Sequence[Query]) -> bytes:
    return QueryBatch(queries=tuple(batch)).model_dump_json(by_alias=True).encode()


COMMANDS: Destination[Command] = Destination(
    exchange=topology.COMMANDS,
    routing_key=topology.FIX_OUTCOMES_COMMANDS.key,
    persistent=True,
    encode=_commands,
)
QUERIES: Destination[Query] = Destination(
    exchange=topology.QUERIES,
    routing_key=topology.FIX_OUTCOMES_QUERIES.routing_key,
    persistent=False,
    encode=_queries,
)
PREVIEWS: Destination[Query] = Destination(
    exchange=topology.QUERIES,
    routing_key=topology.NOTE_GENERATOR_PREVIEWS.routing_key,
    persistent=False,
    encode=_queries,
)


@dataclass(frozen=True, slots=True)
class Couriers:
    """Changes and questions for fix-outcomes, previews for note-generator: each on a connection of its own."""

    commands: Courier[Command]
    queries: Courier[Query]
    previews: Courier[Query]

    @classmethod
    def of(cls, settings: Settings) -> "Couriers":
        """The couriers that these settings describe; nothing is connected yet."""
        url, replica = settings.amqp_url.get_secret_value(), settings.replica
        limits = Limits(waiting=settings.waiting_room)
        return cls(
            commands=Courier(
                url=url, service=Service.GATEWAY, replica=replica, destination=COMMANDS, limits=limits
            ),
            queries=Courier(
                url=url, service=Service.GATEWAY, replica=replica, destination=QUERIES, limits=limits
            ),
            previews=Courier(
                url=url, service=Service.GATEWAY, replica=replica, destination=PREVIEWS, limits=limits
            ),
        )

    async def start(self) -> None:
        """Connect; what is not reached within a moment goes on trying in the background."""
        await asyncio.gather(
            self.commands.start(),
            self.queries.start(),
            self.previews.start(),
        )

    async def stop(self) -> None:
        """Fail the callers that still wait, and close."""
        await asyncio.gather(self.commands.stop(), self.queries.stop(), self.previews.stop())
