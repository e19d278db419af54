"""What travels: every event arrives, no message vanishes, and nothing is left lying (S9, S13, L2)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from faults.invariants.evidence import Evidence, Finding, command_id
from faults.record import Row
from faults.subscriber import Received

Rows = Mapping[tuple[str, int], Row]
"""The journal, by session and sequence."""


def no_lost_event(e: Evidence) -> Iterator[Finding]:
    """S9: every journal row reaches who listens, in order per session; no event without a row."""
    rows = {(row["session_id"], row["sequence"]): row for row in e.record.tables["journal"]}
    yield from _as_delivered(e, rows)
    yield from _as_viewed(e, rows)


def _as_delivered(e: Evidence, rows: Rows) -> Iterator[Finding]:
    """By a subscriber, after removing repeats."""
    seen: dict[tuple[str, int], Received] = {}
    newest: dict[str, int] = defaultdict(int)
    for event in e.events:
        if "sequence" not in event.body:
            continue
        session, sequence = event.body["data"]["session_id"], int(event.body["sequence"])
        if (session, sequence) in seen:
            continue
        seen[session, sequence] = event
        in_order = sequence == newest[session] + 1
        yield None if in_order else f"session {session}: event {sequence} came after {newest[session]}"
        newest[session] = max(newest[session], sequence)
        row = rows.get((session, sequence))
        yield None if _tells_of(event.body, row) else f"event {event.body['id']} has no journal row"
    for session, sequence in rows:
        reached = (session, sequence) in seen
        yield None if reached else f"session {session} sequence {sequence} never reached the subscriber"


def _as_viewed(e: Evidence, rows: Rows) -> Iterator[Finding]:
    """By each viewer, once and without a gap from where it began, over however many streams."""
    last: dict[str, int] = {}
    for seen in e.history.seen:
        if seen.id is None:
            continue
        before = last.get(seen.viewer, seen.id - 1)
        yield None if seen.id == before + 1 else f"{seen.viewer}: event {seen.id} came after {before}"
        last[seen.viewer] = seen.id
        true = seen.event == "state" or _tells_of(seen.data, rows.get((seen.session, seen.id)))
        yield None if true else f"{seen.viewer}: event {seen.id} has no journal row"
    for left in e.history.left:
        got = last.get(left.viewer, 0)
        yield None if got >= left.owed else f"{left.viewer} got {got} of {left.owed} in {left.session}"


def _tells_of(event: dict[str, Any], row: Row | None) -> bool:
    return row is not None and row["command_id"] == event["data"]["command_id"]


def no_silent_drop(e: Evidence) -> Iterator[Finding]:
    """S13: published = handled + parked + queued; what is parked says why, how often, and in which trace."""
    for name, depth in e.record.queues.items():
        if ".parked." not in name:
            yield None if depth == 0 else f"{name} still holds {depth}"
    parked = [message for messages in e.record.parked.values() for message in messages]
    unexpected = [m for m in parked if not any(x.mark in m["body"] for x in e.history.parked)]
    for message in unexpected:
        yield f"parked: {_why(message)} {message['body'][:200]}"
    for expected in e.history.parked:
        found = [message for message in parked if expected.mark in message["body"]]
        yield None if found else f"{expected.mark} was to be parked, and is nowhere"
        for message in found:
            yield _explains_itself(message, expected.reason)
    kept = {row["command_id"] for row in e.record.tables["parked_commands"]}
    for attempt in e.changes:
        if attempt.queued and attempt.request.key is not None:
            command = command_id(attempt)
            there = command in e.log or command in kept
            yield None if there else f"{attempt} was queued, and is in neither log"


def _explains_itself(message: Row, reason: str) -> Finding:
    headers, why = message["headers"], _why(message)
    attempts = headers.get("attempts") or headers.get("x-delivery-count") or headers.get("x-death")
    trace = headers.get("traceparent") or '"traceparent":"' in message["body"]
    missing = [name for name, there in (("attempts", attempts), ("trace id", trace)) if not there]
    if reason not in why:
        return f"parked because of {why!r}, and not {reason!r}: {message['body'][:80]}"
    return f"parked without {missing}: {message['body'][:80]}" if missing else None


def _why(message: Row) -> str:
    headers = message["headers"]
    deaths = [death["reason"] for death in headers.get("x-death") or ()]
    return "delivery_limit" if deaths[:1] == ["delivery_limit"] else str(headers.get("reason") or deaths)


def relay_drains(e: Evidence) -> Iterator[Finding]:
    """L2: the relay has published everything."""
    for row in e.record.tables["outbox"]:
        done = row["published"]
        yield None if done else f"session {row['session_id']} sequence {row['sequence']} is not published"
