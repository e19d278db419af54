"""Telling of journal entries: to everyone as events, in order; and to note-generator, that sessions have changed."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

import orjson
from opentelemetry.trace import Span, SpanKind
from shared.contracts import topology
from shared.contracts.events import CONTENT_TYPE, StateChange, StateChanges, routing_key
from shared.ids import new_id
from shared.publisher import Announcement, Publisher

from fix_outcomes.storage import rows
from shared import telemetry


async def _nothing() -> None:
    pass


async def publish_in_order(
    publisher: Publisher, batch: Sequence[rows.Row], *, between: Callable[[], Awaitable[None]] = _nothing
) -> list[rows.Row]:
    """All sessions side by side, each event after the one before it is confirmed: none is ever overtaken.

    Returns the entries that were confirmed. A session whose event failed stops there.
    `between` is done after each round of confirms.
    """
    sessions = _by_session(batch)
    confirmed: list[rows.Row] = []
    while sessions:
        heads = [entries[0] for entries in sessions]
        spans = [_begin(entry) for entry in heads]
        arrived = await publisher.announce(
            [_event(entry, span) for entry, span in zip(heads, spans, strict=True)]
        )
        for span, there in zip(spans, arrived, strict=True):
            telemetry.end(span, failed=not there)
        confirmed += [entry for entry, there in zip(heads, arrived, strict=True) if there]
        await between()
        sessions = [
            entries[1:]
            for entries, there in zip(sessions, arrived, strict=True)
            if there and len(entries) > 1
        ]
    return confirmed


async def wake_note_generator(publisher: Publisher, entries: Iterable[rows.Row]) -> None:
    """Name the sessions of these entries, each with its newest version, in one message. Raises `NotPublished`."""
    newest = {entry["session_id"]: entry for entry in entries}
    changes = StateChanges(
        changes=tuple(
            StateChange.model_construct(
                account_id=entry["account_id"],
                session_id=entry["session_id"],
                state_version=entry["state_version"],
                traceparent=entry.get("traceparent"),
            )
            for entry in newest.values()
        )
    )
    await publisher.publish(
        changes.model_dump_json().encode(),
        exchange=topology.CHANGES,
        routing_key=topology.NOTE_GENERATOR_STATE_CHANGES.key,
        message_id=str(new_id()),
        mandatory=True,
    )


def _begin(entry: rows.Row) -> Span | None:
    return telemetry.begin(f"publish {entry['kind']}", entry.get("traceparent"), SpanKind.PRODUCER)


def _event(entry: rows.Row, span: Span | None) -> Announcement:
    event = rows.event(entry)
    return Announcement(
        body=orjson.dumps(event),
        exchange=topology.EVENTS,
        routing_key=routing_key(entry["account_id"], entry["session_id"], entry["kind"]),
        message_id=event["id"],
        content_type=CONTENT_TYPE,
        headers=None if span is None else telemetry.headers(telemetry.context_of(span)),
    )


def _by_session(batch: Sequence[rows.Row]) -> list[list[rows.Row]]:
    sessions: dict[object, list[rows.Row]] = {}
    for entry in batch:
        sessions.setdefault(entry["session_id"], []).append(entry)
    return list(sessions.values())
