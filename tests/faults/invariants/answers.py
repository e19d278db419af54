"""What clients were told: nothing of it lost, doubled, contradicted or out of its time (S1, S2, S3, S6, S7)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from faults.history import Attempt
from faults.invariants.evidence import Evidence, Finding, command_id
from faults.record import Row

NO_ENTRY_NEEDED: Final = frozenset({"apply_fix", "clear_proposal"})
"""A second one of these is 200 and changes nothing."""

# By hand, from product.md section 3: the table of the service is not asked about itself.
TERMINAL: Final = frozenset({"applied_success", "applied_failed", "dismissed"})
_PRECONDITION_FAILED: Final = 412


def no_lost_answer(e: Evidence) -> Iterator[Finding]:
    """S1: every change answered 2xx has one journal row, with the answered version; every 202 is decided."""
    expected = {parked.mark for parked in e.history.parked}
    for attempt in e.changes:
        if attempt.accepted:
            yield _recorded_as_answered(e, attempt)
        elif attempt.queued:
            told = e.operations.get(attempt.request.number, {})
            meant_to_park = command_id(attempt) in expected and told.get("parked")
            decided = told.get("status") in {"succeeded", "rejected"} or meant_to_park
            yield None if decided else f"{attempt}, and its operation is {told or 'unknown'}"
            if told.get("status") == "succeeded":
                yield _has_row(e, attempt, told.get("answer", {}))


def _recorded_as_answered(e: Evidence, attempt: Attempt) -> Finding:
    return _has_row(e, attempt, attempt.result.answer or {})


def _has_row(e: Evidence, attempt: Attempt, answer: Mapping[str, Any]) -> Finding:
    rows = e.rows_of(attempt)
    if not rows and attempt.request.kind in NO_ENTRY_NEEDED and command_id(attempt) in e.log:
        return None
    if len(rows) != 1:
        return f"{attempt}: {len(rows)} journal rows"
    version = answer.get("state_version")
    if version is not None and version != rows[0]["state_version"]:
        return f"{attempt}: answered version {version}, recorded {rows[0]['state_version']}"
    return None


def no_phantom(e: Evidence) -> Iterator[Finding]:
    """S2: every journal row belongs to an attempt; an attempt with unknown result appears at most once."""
    known = {command_id(attempt) for attempt in e.changes if attempt.request.key is not None}
    marks = {attempt.request.mark for attempt in e.changes if attempt.request.mark}
    answered = {_answered_id(attempt) for attempt in e.changes}
    for row in e.record.tables["journal"]:
        mine = row["command_id"] in known or row["notes"] in marks or row["command_id"] in answered
        yield None if mine else f"session {row['session_id']} sequence {row['sequence']}: nobody asked for it"
    for attempt in e.changes:
        if attempt.unknown:
            yield None if len(e.rows_of(attempt)) <= 1 else f"{attempt}: recorded more than once"


def _answered_id(attempt: Attempt) -> str | None:
    answer = attempt.result.answer
    return answer.get("id") if isinstance(answer, dict) else None


def at_most_once(e: Evidence) -> Iterator[Finding]:
    """S3: one journal row for each key, and one answer, whatever was retried and redelivered."""
    attempts: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in e.changes:
        if attempt.request.key is not None:
            attempts[command_id(attempt)].append(attempt)
    for command, asked in attempts.items():
        rows = e.entries.get(command, [])
        yield None if len(rows) <= 1 else f"{asked[0]}: {len(rows)} journal rows"
        answers = {_plain_answer(attempt) for attempt in asked if attempt.decided}
        yield None if len(answers) <= 1 else f"{asked[0]}: {len(answers)} different answers"
    for mark, rows in e.entry_by_mark.items():
        yield None if len(rows) <= 1 else f"{mark!r}: {len(rows)} journal rows"


def _plain_answer(attempt: Attempt) -> bytes:
    answer = attempt.result.answer or {}
    shown = {name: value for name, value in answer.items() if name not in {"trace_id", "instance"}}
    return orjson.dumps([attempt.result.status, shown], option=orjson.OPT_SORT_KEYS)


def one_winner(e: Evidence) -> Iterator[Finding]:
    """S6: of many changes with one If-Match one is 2xx, and makes the next version; of many terminal outcomes one."""
    contested: dict[tuple[str | None, int], list[Attempt]] = defaultdict(list)
    terminal: dict[str, set[str]] = defaultdict(set)
    for attempt in e.changes:
        asked = attempt.request
        if asked.if_match is not None and attempt.decided:
            contested[asked.session, asked.if_match].append(attempt)
        concludes = asked.kind == "record_outcome" and (asked.body or {}).get("outcome") in TERMINAL
        if asked.fix and concludes and attempt.accepted:
            terminal[asked.fix].add(asked.key or str(asked.mark))
    for (session, version), attempts in contested.items():
        winners = {attempt.request.key for attempt in attempts if attempt.accepted}
        yield None if len(winners) <= 1 else f"session {session} If-Match {version}: {len(winners)} winners"
        for attempt in attempts:
            missed = attempt.accepted and attempt.version != version + 1
            yield f"{attempt} made {attempt.version} of If-Match {version}" if missed else None
        moved_on = any(row["state_version"] > version for row in e.journal.get(str(session), []))
        stale = [attempt for attempt in attempts if attempt.result.status == _PRECONDITION_FAILED]
        yield None if moved_on or not stale else f"{stale[0]}, but the version was never passed"
    for fix, won in terminal.items():
        yield None if len(won) == 1 else f"fix {fix}: {len(won)} terminal outcomes won"


def real_time(e: Evidence) -> Iterator[Finding]:
    """S7: what returned before another was sent comes before it; a read after a 2xx shows it."""
    written: dict[str, list[tuple[Attempt, Row]]] = defaultdict(list)
    for attempt in e.changes:
        rows = e.rows_of(attempt)
        if attempt.accepted and len(rows) == 1 and not attempt.result.replayed:
            written[rows[0]["session_id"]].append((attempt, rows[0]))
    reads: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in e.history.attempts:
        if attempt.request.kind == "read_session" and attempt.accepted:
            reads[str(attempt.request.session)].append(attempt)
    for session, writes in written.items():
        yield from _in_order(writes)
        yield from _shown_to(reads[session], writes)


def _in_order(writes: Sequence[tuple[Attempt, Row]]) -> Iterator[Finding]:
    finished = sorted(writes, key=lambda write: write[0].ended)
    newest, at = 0, 0
    for attempt, row in sorted(writes, key=lambda write: write[0].began):
        while at < len(finished) and finished[at][0].ended < attempt.began:
            newest, at = max(newest, finished[at][1]["sequence"]), at + 1
        sequence = row["sequence"]
        yield None if sequence > newest else f"{attempt} has sequence {sequence}, after {newest} had returned"


def _shown_to(reads: Sequence[Attempt], writes: Sequence[tuple[Attempt, Row]]) -> Iterator[Finding]:
    for read in reads:
        finished = [row["state_version"] for write, row in writes if write.ended < read.began]
        newest = max(finished, default=0)
        yield None if (read.version or 0) >= newest else f"{read} shows {read.version}, {newest} had returned"
