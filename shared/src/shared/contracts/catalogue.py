"""Who sends what to whom: each message with its producer and its consumers, and one example of each.

The tests of both sides use the examples; `docs/messages.md` and the gateway's `/asyncapi` are made from this page.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts import events, examples, topology
from shared.contracts.answers import Answers
from shared.contracts.commands import CommandBatch
from shared.contracts.events import DATA, CloudEvent, StateChanges
from shared.contracts.queries import QueryBatch
from shared.contracts.text import Message
from shared.contracts.vocabulary import Service

PSA = "psa tools"


@dataclass(frozen=True, slots=True)
class Route:
    """One kind of message: its model, where it is published, by whom, and who receives it.

    `queue` is None where every consumer brings a queue of its own.
    """

    name: str
    model: type[Message]
    exchange: str
    routing_key: str
    queue: str | None
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    example: Message
    content_type: str = "application/json"
    data: type[Message] | None = None


_ASKING = (Service.GATEWAY, Service.NOTE_GENERATOR)


def _event_routes() -> Mapping[str, Route]:
    return {
        f"event {name}": Route(
            name=f"event {name}",
            model=CloudEvent,
            exchange=topology.EVENTS,
            routing_key=f"<account_id>.<session_id>.{name}",
            queue=None,
            producers=(Service.NOTE_GENERATOR if name == "note.regenerated" else Service.FIX_OUTCOMES,),
            consumers=(Service.GATEWAY, PSA),
            example=examples.EVENTS[name],
            content_type=events.CONTENT_TYPE,
            data=data,
        )
        for name, data in DATA.items()
    }


ROUTES: Mapping[str, Route] = {
    "commands": Route(
        name="commands",
        model=CommandBatch,
        exchange=topology.COMMANDS,
        routing_key=topology.FIX_OUTCOMES_COMMANDS.key,
        queue=topology.FIX_OUTCOMES_COMMANDS.name,
        producers=(Service.GATEWAY,),
        consumers=(Service.FIX_OUTCOMES,),
        example=examples.COMMAND_BATCH,
    ),
    "retried commands": Route(
        name="retried commands",
        model=CommandBatch,
        exchange=topology.RETRIES,
        routing_key="fix-outcomes.commands.wait-<delay>s.v1",
        queue=topology.FIX_OUTCOMES_COMMANDS.wait(topology.RETRY_DELAYS_S[0]),
        producers=(Service.FIX_OUTCOMES,),
        consumers=(Service.FIX_OUTCOMES,),
        example=examples.COMMAND_BATCH,
    ),
    "parked commands": Route(
        name="parked commands",
        model=CommandBatch,
        exchange=topology.DEAD_LETTERS,
        routing_key=topology.FIX_OUTCOMES_COMMANDS.key,
        queue=topology.FIX_OUTCOMES_PARKED_NOTICES.name,
        producers=(Service.FIX_OUTCOMES,),
        consumers=(Service.FIX_OUTCOMES,),
        example=examples.COMMAND_BATCH,
    ),
    "queries": Route(
        name="queries",
        model=QueryBatch,
        exchange=topology.QUERIES,
        routing_key=topology.FIX_OUTCOMES_QUERIES.routing_key,
        queue=topology.FIX_OUTCOMES_QUERIES.name,
        producers=_ASKING,
        consumers=(Service.FIX_OUTCOMES,),
        example=examples.QUERY_BATCH,
    ),
    "previews": Route(
        name="previews",
        model=QueryBatch,
        exchange=topology.QUERIES,
        routing_key=topology.NOTE_GENERATOR_PREVIEWS.routing_key,
        queue=topology.NOTE_GENERATOR_PREVIEWS.name,
        producers=(Service.GATEWAY,),
        consumers=(Service.NOTE_GENERATOR,),
        example=examples.PREVIEW_BATCH,
    ),
    "answers": Route(
        name="answers",
        model=Answers,
        exchange=topology.REPLIES,
        routing_key="<service>.<replica>.<connection>.replies",
        queue=None,
        producers=(Service.FIX_OUTCOMES, Service.NOTE_GENERATOR),
        consumers=_ASKING,
        example=examples.ANSWERS,
    ),
    "state changes": Route(
        name="state changes",
        model=StateChanges,
        exchange=topology.CHANGES,
        routing_key=topology.NOTE_GENERATOR_STATE_CHANGES.key,
        queue=topology.NOTE_GENERATOR_STATE_CHANGES.name,
        producers=(Service.FIX_OUTCOMES,),
        consumers=(Service.NOTE_GENERATOR,),
        example=examples.STATE_CHANGES,
    ),
    **_event_routes(),
}
