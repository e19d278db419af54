"""What the notes say: of whom, of which version, and never of an older one again (S10, S11, L3)."""

from collections import defaultdict
from collections.abc import Iterator

from faults.history import Attempt
from faults.invariants.evidence import Evidence, Finding


def versions_never_go_back(e: Evidence) -> Iterator[Finding]:
    """S10: the versions served for a note never go back, nor behind a change that had returned; nor those stored."""
    yield from _as_served(e)
    yield from _as_stored(e)


def _as_served(e: Evidence) -> Iterator[Finding]:
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


def _as_stored(e: Evidence) -> Iterator[Finding]:
    latest: dict[str, int] = {}
    for key, version in ((each.key, each.version) for each in e.stored):
        newest = latest.get(key, 0)
        yield f"{key}: {version} was stored over {newest}" if 0 < version < newest else None
        latest[key] = version


def honest_notes(e: Evidence) -> Iterator[Finding]:
    """S11: a note names the version it was made from, and is of its own session and account."""
    sessions = {row["id"]: row for row in e.record.tables["sessions"]}
    for key, stored in e.record.notes.items():
        _, _, account, session, kind = key.split(":")
        note = stored["note"]
        own = (note["session_id"], note["kind"], note["state_version"]) == (session, kind, stored["version"])
        yield None if own else f"{key} holds the note of {note['session_id']} {note['state_version']}"
        mark = e.history.accounts.get(account, "")
        spoken = note["generator"] != "template" or mark in note["markdown"]  # a model may choose its words
        yield None if spoken else f"{key} does not hold its session's words"
        row = sessions.get(session)
        ahead = row is None or stored["version"] > row["state_version"]
        yield f"{key} is of version {stored['version']}, which there never was" if ahead else None


def notes_follow(e: Evidence) -> Iterator[Finding]:
    """L3: every changed session has both notes of its last version."""
    for session in e.record.tables["sessions"]:
        for kind in ("resolution_note", "escalation_package"):
            stored = e.record.notes.get(f"rf:note:{session['account_id']}:{session['id']}:{kind}")
            version = stored["version"] if stored else None
            same = version == session["state_version"]
            yield None if same else f"{kind} of {session['id']}: {version}, not {session['state_version']}"
