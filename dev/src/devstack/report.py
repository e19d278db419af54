"""The end of the demo: notes as an engineer would see them, a table of outcomes, timing, where to look further."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from shared.contracts.views import Fix, SessionWithFixes
from shared.contracts.vocabulary import PARKED, FixStatus, NoteKind, SessionStatus

from devstack.play import Played

Telling = tuple[str, Played, NoteKind]


def telling(played: Iterable[Played]) -> Iterator[Telling]:
    """Yield the few documents that are worth showing: why, of which ticket, which of the two."""
    secretive = [one for one in played if one.session and one.ticket.keep_out_of_notes]
    finished = [one for one in played if one.session and one not in secretive]
    for why, fits, kind in _WORTH_SHOWING:
        if one := next((one for one in finished if one.session and fits(one.session)), None):
            yield why, one, kind
            finished.remove(one)
    for one in secretive[:1]:
        yield "without what must stay out of it", one, NoteKind.RESOLUTION_NOTE


def _statuses(session: SessionWithFixes) -> Sequence[FixStatus]:
    return [fix.status for fix in session.fixes if fix.superseded_at is None]


def _waits(session: SessionWithFixes) -> bool:
    return session.status is SessionStatus.ACTIVE and FixStatus.APPLIED_PENDING in _statuses(session)


def _worked_after_waiting(session: SessionWithFixes) -> bool:
    return any(fix.status is FixStatus.APPLIED_SUCCESS and fix.pending_reason for fix in session.fixes)


def _worked(session: SessionWithFixes) -> bool:
    return set(_statuses(session)) == {FixStatus.APPLIED_SUCCESS}


def _worked_at_second_try(session: SessionWithFixes) -> bool:
    return _statuses(session)[-2:] == [FixStatus.APPLIED_FAILED, FixStatus.APPLIED_SUCCESS]


def _escalated(session: SessionWithFixes) -> bool:
    return session.status is SessionStatus.ESCALATED


_WORTH_SHOWING: Sequence[tuple[str, Callable[[SessionWithFixes], bool], NoteKind]] = (
    ("a fix awaits verification", _waits, NoteKind.RESOLUTION_NOTE),
    ("the fix waited, then worked", _worked_after_waiting, NoteKind.RESOLUTION_NOTE),
    ("the fix worked", _worked, NoteKind.RESOLUTION_NOTE),
    ("the first fix failed, the second worked", _worked_at_second_try, NoteKind.RESOLUTION_NOTE),
    ("handed on to the next engineer", _escalated, NoteKind.ESCALATION_PACKAGE),
)


OUTCOMES = ("ticket", "session", "version", "fix", "status", "awaiting what")
TIMING = ("call", "n", "median ms", "slowest ms")


def outcomes(played: Iterable[Played]) -> Iterator[Sequence[str]]:
    """Rows under OUTCOMES: all tickets and their fixes, where each stands and what it waits for."""
    for one in played:
        if one.session is None:
            yield one.name, "not played to its end", "", "", "", one.trouble
            continue
        names = {id_: name for name, id_ in one.scene.fixes.items()}
        head = (one.name, str(one.session.status), str(one.session.state_version))
        for fix in one.session.fixes:
            status = "superseded" if fix.superseded_at else str(fix.status)
            yield *head, names[str(fix.id)], status, _awaiting(fix)
            head = ("", "", "")


def _awaiting(fix: Fix) -> str:
    if fix.superseded_at:
        return ""
    if fix.status in PARKED:
        return (fix.pending_reason if fix.status is FixStatus.APPLIED_PENDING else fix.partial_notes) or ""
    if fix.status is FixStatus.PROPOSED:
        return "a verdict" if fix.applied_at else "somebody to apply it"
    return ""


def timing(seconds: Mapping[str, Sequence[float]]) -> Iterator[Sequence[str]]:
    """Rows under TIMING: how long the calls took, as the client saw it."""
    for label, times in seconds.items():
        yield label, str(len(times)), f"{statistics.median(times) * 1000:.1f}", f"{max(times) * 1000:.1f}"


def where_to_look(gateway_url: str, account: str, session: str) -> str:
    """Addresses and commands to go on from here."""
    base = gateway_url.rstrip("/")
    return f"""\
Where to look further

the page          {base}/sessions/{session}  (choose who to be, or paste a token)
HTTP API          {base}/docs
messages          {base}/asyncapi
a token           make token ACCOUNT={account} ROLE=engineer
one session       curl -H "Authorization: Bearer $(make -s token ACCOUNT={account} ROLE=engineer)" \\
                       {base}/api/v1/ai-sessions/{session}
logs · stop       make logs · make down
your own tickets  make demo TICKETS=folder; the format is in docs/tickets.md"""
