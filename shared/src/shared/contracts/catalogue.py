"""Who sends what to whom: each message with its producer and its consumers, and one example of each.

The tests of both sides use the examples; `docs/messages.md` and the gateway's `/asyncapi` are made from this page.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from shared.contracts import events, examples, topology
from shared.contracts.answers import Answers
from shared.contracts.commands import CommandBatch
from shared.contracts.events import DATA, CloudEvent, StateChanges
from shared.contracts.queries import QueryBatch
from shared.contracts.text import Message
from shared.contracts.topology import WorkQueue
from shared.contracts.vocabulary import Service

PSA = "psa tools"
OPERATORS = "operators"


@dataclass(frozen=True, slots=True)
class Route:
    """One kind of message: its model, where it is published, by whom, and who receives it.

    `queues` is empty where every consumer brings a queue of its own.
    """

    name: str
    meaning: str
    model: type[Message]
    exchange: str
    routing_key: str
    queues: tuple[str, ...]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    example: Message
    content_type: str = "application/json"
    data: type[Message] | None = None


_ASKING = (Service.GATEWAY, Service.NOTE_GENERATOR)


def _event_routes() -> Iterator[Route]:
    for name, data in DATA.items():
        yield Route(
            name=f"event {name}",
            meaning=data.__doc__ or "",
            model=CloudEvent,
            exchange=topology.EVENTS,
            routing_key=f"<account_id>.<session_id>.{name}",
            queues=(),
            producers=(Service.NOTE_GENERATOR if name == "note.regenerated" else Service.FIX_OUTCOMES,),
            consumers=(Service.GATEWAY, PSA),
            example=examples.EVENTS[name],
            content_type=events.CONTENT_TYPE,
            data=data,
        )


def _with_ladder(route: Route, work: WorkQueue) -> Iterator[Route]:
    """A message, the same while it waits to be tried again, and the same once it is parked."""
    delays = ", ".join(map(str, topology.RETRY_DELAYS_S))
    notices = tuple(group.name for group in topology.WORK_QUEUES if group.fed_by == work.key)
    yield route
    yield replace(
        route,
        name=f"retried {route.name}",
        meaning=f"What failed alone, waiting to come back as `{work.key}`; `<delay>` is one of {delays}.",
        exchange=topology.RETRIES,
        routing_key=f"{work.key}.wait-<delay>s.v1",
        queues=tuple(work.wait(delay_s) for delay_s in topology.RETRY_DELAYS_S),
        producers=route.consumers,
    )
    yield replace(
        route,
        name=f"parked {route.name}",
        meaning="What cannot succeed: malformed, or failed after the last wait. What a worker died of more than "
        f"{topology.DELIVERY_LIMIT} times the broker parks here itself. It stays until an operator acts.",
        exchange=topology.DEAD_LETTERS,
        queues=(work.parked, *notices),
        producers=route.consumers,
        consumers=(OPERATORS, *route.consumers) if notices else (OPERATORS,),
    )


_ROUTES = (
    *_with_ladder(
        Route(
            name="commands",
            meaning="Changes that people and programs ask for.",
            model=CommandBatch,
            exchange=topology.COMMANDS,
            routing_key=topology.FIX_OUTCOMES_COMMANDS.key,
            queues=(topology.FIX_OUTCOMES_COMMANDS.name,),
            producers=(Service.GATEWAY,),
            consumers=(Service.FIX_OUTCOMES,),
            example=examples.COMMAND_BATCH,
        ),
        topology.FIX_OUTCOMES_COMMANDS,
    ),
    Route(
        name="queries",
        meaning="Questions about the record. Dropped when they are older than anybody waits.",
        model=QueryBatch,
        exchange=topology.QUERIES,
        routing_key=topology.FIX_OUTCOMES_QUERIES.routing_key,
        queues=(topology.FIX_OUTCOMES_QUERIES.name,),
        producers=_ASKING,
        consumers=(Service.FIX_OUTCOMES,),
        example=examples.QUERY_BATCH,
    ),
    Route(
        name="previews",
        meaning="Documents that somebody is waiting for. Dropped like queries.",
        model=QueryBatch,
        exchange=topology.QUERIES,
        routing_key=topology.NOTE_GENERATOR_PREVIEWS.routing_key,
        queues=(topology.NOTE_GENERATOR_PREVIEWS.name,),
        producers=(Service.GATEWAY,),
        consumers=(Service.NOTE_GENERATOR,),
        example=examples.PREVIEW_BATCH,
    ),
    Route(
        name="answers",
        meaning="To the replica that asked, which named its own queue in `reply_to`. At most once: "
        "who still waits asks again.",
        model=Answers,
        exchange=topology.REPLIES,
        routing_key="<service>.<replica>.<connection>.replies",
        queues=(),
        producers=(Service.FIX_OUTCOMES, Service.NOTE_GENERATOR),
        consumers=_ASKING,
        example=examples.ANSWERS,
    ),
    *_with_ladder(
        Route(
            name="state changes",
            meaning="Sessions whose notes are to be written anew, once they are quiet.",
            model=StateChanges,
            exchange=topology.CHANGES,
            routing_key=topology.NOTE_GENERATOR_STATE_CHANGES.key,
            queues=(topology.NOTE_GENERATOR_STATE_CHANGES.name,),
            producers=(Service.FIX_OUTCOMES,),
            consumers=(Service.NOTE_GENERATOR,),
            example=examples.STATE_CHANGES,
        ),
        topology.NOTE_GENERATOR_STATE_CHANGES,
    ),
    *_event_routes(),
)

ROUTES: Mapping[str, Route] = {route.name: route for route in _ROUTES}
