"""What must always hold, each as a small pure function over loaded data; the texts are those of invariants.md.

A function yields one item for each thing that it looked at: None where it is as it must be, else what is wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

import orjson
from shared.ids import keyed_id

from faults.history import Attempt, Fault, History
from faults.record import Record, Row
from faults.subscriber import Received

Finding = str | None

NO_ENTRY_NEEDED: Final = frozenset({"apply_fix", "clear_proposal"})
"""A second one of these is 200 and changes nothing."""

# By hand, from product.md section 3: the table of the service is not asked about itself.
_OUTCOMES: Final = frozenset(
    {"applied_pending", "applied_partial", "applied_success", "applied_failed", "dismissed"}
)
LEGAL: Final[Mapping[str, frozenset[str]]] = {
    "proposed": _OUTCOMES,
    "applied_pending": _OUTCOMES,
    "applied_partial": _OUTCOMES,
}
TERMINAL: Final = frozenset({"applied_success", "applied_failed", "dismissed"})

_OK: Final = 200
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503
_SERVER_ERROR: Final = 500
_PRECONDITION_FAILED: Final = 412
_DEADLINE_S: Final = 8.5
_RECOVERED_S: Final = 10.0
_SHARE_OF_SUCCESS: Final = 0.999


@dataclass(frozen=True)
class Evidence:
    """Everything that is known of one run."""

    history: History
    record: Record
    events: Sequence[Received]
    wants_faults: bool = True

    @cached_property
    def changes(self) -> tuple[Attempt, ...]:
        """Every attempt at a change."""
        return tuple(attempt for attempt in self.history.attempts if attempt.change)

    @cached_property
    def journal(self) -> dict[str, list[Row]]:
        """The entries of each session, by sequence."""
        sessions: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(self.record.tables["journal"], key=lambda row: row["sequence"]):
            sessions[row["session_id"]].append(row)
        return sessions

    @cached_property
    def entries(self) -> dict[str, list[Row]]:
        """The entries of each command."""
        return _by(self.record.tables["journal"], "command_id")

    @cached_property
    def log(self) -> dict[str, list[Row]]:
        """The command log, by command."""
        return _by(self.record.tables["command_log"], "command_id")

    @cached_property
    def entry_by_mark(self) -> dict[str, list[Row]]:
        """The entries whose notes name their attempt: those of commands without a key."""
        return _by([row for row in self.record.tables["journal"] if row["notes"]], "notes")

    @cached_property
    def operations(self) -> dict[int, dict[str, Any]]:
        """What was last said about each queued attempt, by its number."""
        told: dict[int, dict[str, Any]] = {}
        for attempt in self.history.attempts:
            if attempt.request.about is not None and attempt.accepted:
                told[attempt.request.about] = attempt.result.answer
        return told

    def rows_of(self, attempt: Attempt) -> list[Row]:
        """The journal's entries of an attempt's command."""
        asked = attempt.request
        if asked.key is not None:
            return self.entries.get(command_id(attempt), [])
        return self.entry_by_mark.get(asked.mark or "", [])


def command_id(attempt: Attempt) -> str:
    """The id of a command that has an Idempotency-Key."""
    return str(keyed_id(UUID(attempt.request.account), attempt.request.key or ""))


def something_happened(e: Evidence) -> Iterator[Finding]:
    """A run that saw no fault, no acknowledged operation or no event must fail."""
    yield None if any(attempt.accepted for attempt in e.changes) else "no change was acknowledged"
    yield None if e.events else "no event was received"
    yield None if e.record.tables["journal"] else "the journal is empty"
    if e.wants_faults:
        yield None if e.history.faults else "there was no fault"


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


def chain(e: Evidence) -> Iterator[Finding]:
    """S4: sequences are 1..n, each `from` is the entry before's `to`, the row equals the last entry."""
    fixes = _by(e.record.tables["suggested_fixes"], "id")
    for session, rows in e.journal.items():
        sequences = [row["sequence"] for row in rows]
        whole = sequences == list(range(1, len(rows) + 1))
        yield None if whole else f"session {session}: sequences {_gaps(sequences)}"
        versions = [row["state_version"] for row in rows]
        steps = {later - earlier for earlier, later in pairwise(versions)}
        yield None if steps <= {0, 1} else f"session {session}: state_versions {versions}"
    for fix, rows in _outcomes(e).items():
        status = "proposed"
        for row in rows:
            linked = row["from_status"] == status
            yield None if linked else f"fix {fix}: {row['from_status']} after {status} at {row['sequence']}"
            status = row["to_status"]
        yield _fix_is(fixes.get(fix, []), fix, status)


def _fix_is(rows: Sequence[Row], fix: str, status: str) -> Finding:
    found = [row["status"] for row in rows]
    return None if found == [status] else f"fix {fix} is {found}, its last entry says {status}"


def legal_only(e: Evidence) -> Iterator[Finding]:
    """S5: every transition is in the table; a refused change wrote nothing."""
    for fix, rows in _outcomes(e).items():
        for row in rows:
            legal = row["to_status"] in LEGAL.get(row["from_status"], frozenset())
            yield None if legal else f"fix {fix}: {row['from_status']} → {row['to_status']}"
    for attempt in e.changes:
        if attempt.refused and attempt.request.key is not None:
            yield None if not e.rows_of(attempt) else f"{attempt}, and yet it is recorded"


def one_winner(e: Evidence) -> Iterator[Finding]:
    """S6: of many changes with the same If-Match one is 2xx, of many terminal outcomes one is."""
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
        moved_on = any(row["state_version"] > version for row in e.journal.get(str(session), []))
        stale = [attempt for attempt in attempts if attempt.result.status == _PRECONDITION_FAILED]
        yield None if moved_on or not stale else f"{stale[0]}, but the version was never passed"
    for fix, winners in terminal.items():
        yield None if len(winners) == 1 else f"fix {fix}: {len(winners)} terminal outcomes won"


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


def atomic(e: Evidence) -> Iterator[Finding]:
    """S8: state, journal, command log and outbox agree row for row."""
    announced = {(row["session_id"], row["sequence"]) for row in e.record.tables["outbox"]}
    for session in e.record.tables["sessions"]:
        rows = e.journal.get(session["id"], [])
        last = rows[-1] if rows else {"sequence": 0, "state_version": 0}
        same = (session["sequence"], session["state_version"]) == (last["sequence"], last["state_version"])
        yield None if same else f"session {session['id']} is at {session['sequence']}, its journal not"
    for row in e.record.tables["journal"]:
        where = f"session {row['session_id']} sequence {row['sequence']}"
        logged = [entry["status"] for entry in e.log.get(row["command_id"], [])]
        yield None if logged and logged[0] < 300 else f"{where}: the command log says {logged}"
        told = (row["session_id"], row["sequence"]) in announced
        yield None if told else f"{where} is not in the outbox"
    for table, kind in (("messages", "session.message_added"), ("facts", "session.fact_confirmed")):
        rows = e.record.tables[table]
        there = Counter((row["session_id"], row["sequence"]) for row in rows)
        noted = Counter(
            (r["session_id"], r["sequence"]) for r in e.record.tables["journal"] if r["kind"] == kind
        )
        yield None if there == noted else f"{table} and the journal differ in {dict(there ^ noted)}"


def no_lost_event(e: Evidence) -> Iterator[Finding]:
    """S9: every journal row reaches a subscriber, in order per session after removing repeats; none without a row."""
    rows = {(row["session_id"], row["sequence"]): row for row in e.record.tables["journal"]}
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
        told = row is not None and row["command_id"] == event.body["data"]["command_id"]
        yield None if told else f"event {event.body['id']} has no journal row"
    for session, sequence in rows:
        reached = (session, sequence) in seen
        yield None if reached else f"session {session} sequence {sequence} never reached the subscriber"


def versions_never_go_back(e: Evidence) -> Iterator[Finding]:
    """S10: the versions served for a note never go back, nor behind a change that had returned."""
    served: dict[tuple[str | None, str], list[Attempt]] = defaultdict(list)
    for attempt in e.history.attempts:
        if attempt.request.kind == "preview" and attempt.accepted:
            served[attempt.request.session, attempt.request.path].append(attempt)
    finished: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for attempt in e.changes:
        if attempt.accepted and attempt.version is not None:
            finished[str(attempt.request.session)].append((attempt.ended, attempt.version))
    for (session, _), previews in served.items():
        finished_here = finished[str(session)] + [(p.ended, p.version or 0) for p in previews]
        for preview in previews:
            newest = max((version for ended, version in finished_here if ended < preview.began), default=0)
            shown = preview.version or 0
            yield None if shown >= newest else f"{preview} served {shown}, {newest} had been seen before"


def honest_notes(e: Evidence) -> Iterator[Finding]:
    """S11: a note names the version it was made from, and is of its own session and account."""
    sessions = {row["id"]: row for row in e.record.tables["sessions"]}
    for key, stored in e.record.notes.items():
        _, _, account, session, kind = key.split(":")
        note = stored["note"]
        own = (note["session_id"], note["kind"], note["state_version"]) == (session, kind, stored["version"])
        yield None if own else f"{key} holds the note of {note['session_id']} {note['state_version']}"
        mark = e.history.accounts.get(account, "")
        yield None if mark in note["markdown"] else f"{key} does not hold its session's words"
        row = sessions.get(session)
        ahead = row is None or stored["version"] > row["state_version"]
        yield f"{key} is of version {stored['version']}, which there never was" if ahead else None


def isolation(e: Evidence) -> Iterator[Finding]:
    """S12: no answer, event or note of one account shows another's bytes; foreign ids do not exist."""
    strangers = {
        account: [
            text for other, mark in e.history.accounts.items() if other != account for text in (other, mark)
        ]
        for account in e.history.accounts
    }
    for attempt in e.history.attempts:
        body = orjson.dumps(attempt.result.answer).decode()
        leaked = [text for text in strangers[attempt.request.account] if text in body]
        yield None if not leaked else f"{attempt} shows {leaked}"
        if attempt.request.kind.startswith("foreign") and attempt.decided:
            denied = attempt.result.status == _NOT_FOUND
            yield None if denied else f"{attempt}: another account's"
    for event in e.events:
        body = orjson.dumps(event.body).decode()
        leaked = [text for text in strangers.get(event.account, []) if text in body]
        yield None if not leaked else f"event {event.body['id']} shows {leaked}"
    for key, stored in e.record.notes.items():
        markdown = stored["note"]["markdown"]
        leaked = [text for text in strangers.get(key.split(":")[2], []) if text in markdown]
        yield None if not leaked else f"{key} shows {leaked}"


def no_silent_drop(e: Evidence) -> Iterator[Finding]:
    """S13: published = handled + parked + queued; what is parked says why, how often, and in which trace."""
    waiting = {name: depth for name, depth in e.record.queues.items() if depth and ".parked." not in name}
    yield None if not waiting else f"still queued: {waiting}"
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


def no_fail_open(e: Evidence) -> Iterator[Finding]:
    """S16: what cannot be done is 503 with Retry-After, and nothing else of its kind."""
    for attempt in e.history.attempts:
        status = attempt.result.status
        if status is not None and status >= _SERVER_ERROR:
            honest = status == _UNAVAILABLE and attempt.result.retry_after is not None
            yield None if honest else f"{attempt}, Retry-After {attempt.result.retry_after}"
        elif attempt.accepted or attempt.queued:
            yield None


def recovery(e: Evidence) -> Iterator[Finding]:
    """L1: from 10 s after a fault 99.9 % of new changes succeed."""
    calm = [attempt for attempt in e.changes if _calm(attempt, e.history.faults)]
    if calm:
        share = sum(attempt.decided or attempt.request.at_once for attempt in calm) / len(calm)
        yield None if share >= _SHARE_OF_SUCCESS else f"{share:.2%} of {len(calm)} changes succeeded"


def _calm(attempt: Attempt, faults: Sequence[Fault]) -> bool:
    """After a fault, and far from all of them."""
    after = any(fault.ended < attempt.began for fault in faults)
    near = any(
        fault.began <= attempt.ended and attempt.began <= fault.ended + _RECOVERED_S for fault in faults
    )
    return after and not near


def relay_drains(e: Evidence) -> Iterator[Finding]:
    """L2: the relay has published everything."""
    for row in e.record.tables["outbox"]:
        done = row["published"]
        yield None if done else f"session {row['session_id']} sequence {row['sequence']} is not published"


def notes_follow(e: Evidence) -> Iterator[Finding]:
    """L3: every changed session has both notes of its last version."""
    for session in e.record.tables["sessions"]:
        for kind in ("resolution_note", "escalation_package"):
            stored = e.record.notes.get(f"rf:note:{session['account_id']}:{session['id']}:{kind}")
            version = stored["version"] if stored else None
            same = version == session["state_version"]
            yield None if same else f"{kind} of {session['id']}: {version}, not {session['state_version']}"


def deadlines(e: Evidence) -> Iterator[Finding]:
    """L4: every request ends by its deadline."""
    for attempt in e.history.attempts:
        in_time = attempt.ended - attempt.began <= _DEADLINE_S
        yield None if in_time else f"{attempt} took {attempt.ended - attempt.began:.1f} s"


Invariant = Callable[[Evidence], Iterator[Finding]]

INVARIANTS: Final[Mapping[str, Invariant]] = {
    "data": something_happened,
    "S1": no_lost_answer,
    "S2": no_phantom,
    "S3": at_most_once,
    "S4": chain,
    "S5": legal_only,
    "S6": one_winner,
    "S7": real_time,
    "S8": atomic,
    "S9": no_lost_event,
    "S10": versions_never_go_back,
    "S11": honest_notes,
    "S12": isolation,
    "S13": no_silent_drop,
    "S16": no_fail_open,
    "L1": recovery,
    "L2": relay_drains,
    "L3": notes_follow,
    "L4": deadlines,
}


def _outcomes(e: Evidence) -> dict[str, list[Row]]:
    """The entries of each fix that say from what to what."""
    fixes: dict[str, list[Row]] = defaultdict(list)
    for rows in e.journal.values():
        for row in rows:
            if row["fix_id"] is not None and row["kind"] == "fix.outcome_recorded":
                fixes[row["fix_id"]].append(row)
    return fixes


def _by(rows: Sequence[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return dict(found)


def _gaps(sequences: Sequence[int]) -> str:
    missing = sorted(set(range(1, max(sequences) + 1)) - set(sequences))
    return f"{len(sequences)} entries, missing {missing[:5]}"
