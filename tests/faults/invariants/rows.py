"""What the database holds: unbroken, legal, and agreeing row for row (S4, S5, S8)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from faults.invariants.evidence import Evidence, Finding, by
from faults.record import Row

# By hand: the table of the service is not asked about itself.
_OUTCOMES: Final = frozenset(
    {"applied_pending", "applied_partial", "applied_success", "applied_failed", "dismissed"}
)
LEGAL: Final[Mapping[str, frozenset[str]]] = {
    "proposed": _OUTCOMES,
    "applied_pending": _OUTCOMES,
    "applied_partial": _OUTCOMES,
}


def chain(e: Evidence) -> Iterator[Finding]:
    """S4: sequences are 1..n, each `from` is the entry before's `to`, the row equals the last entry."""
    fixes = by(e.record.tables["suggested_fixes"], "id")
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
        for place in there | noted:
            yield None if there[place] == noted[place] else f"{table} and the journal differ at {place}"


def _outcomes(e: Evidence) -> dict[str, list[Row]]:
    """The entries of each fix that say from what to what."""
    fixes: dict[str, list[Row]] = defaultdict(list)
    for rows in e.journal.values():
        for row in rows:
            if row["fix_id"] is not None and row["kind"] == "fix.outcome_recorded":
                fixes[row["fix_id"]].append(row)
    return fixes


def _gaps(sequences: Sequence[int]) -> str:
    missing = sorted(set(range(1, max(sequences) + 1)) - set(sequences))
    return f"{len(sequences)} entries, missing {missing[:5]}"
