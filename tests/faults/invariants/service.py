"""How the service behaves: to each account alone, honest when it cannot, in time, and soon itself again."""

from collections.abc import Iterator, Sequence
from typing import Final

import orjson

from faults.history import Attempt, Fault
from faults.invariants.evidence import Evidence, Finding

_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503
_SERVER_ERROR: Final = 500
_DEADLINE_S: Final = 8.5
_RECOVERED_S: Final = 10.0
_SHARE_OF_SUCCESS: Final = 0.999
_ENOUGH: Final = 100
"""Changes of which a p99 can be told."""

_FAST_ENOUGH_S: Final = 0.5
"""On a machine that does other things too, no more can be asked."""


def isolation(e: Evidence) -> Iterator[Finding]:
    """S12: no answer, event, stream or note of one account shows another's bytes; foreign ids do not exist."""
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
    for seen in e.history.seen:
        body = orjson.dumps(seen.data).decode()
        leaked = [text for text in strangers[seen.account] if text in body]
        yield None if not leaked else f"{seen.viewer} was shown {leaked}"
    for key, stored in e.record.notes.items():
        markdown = stored["note"]["markdown"]
        leaked = [text for text in strangers.get(key.split(":")[2], []) if text in markdown]
        yield None if not leaked else f"{key} shows {leaked}"


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
    """L1: from 10 s after a fault 99.9 % of new changes succeed, and p99 is at most twice what it was before."""
    calm = [attempt for attempt in e.changes if _calm(attempt, e.history.faults)]
    if calm:
        share = sum(attempt.decided or attempt.request.at_once for attempt in calm) / len(calm)
        yield None if share >= _SHARE_OF_SUCCESS else f"{share:.2%} of {len(calm)} changes succeeded"
    first = min((fault.began for fault in e.history.faults), default=0.0)
    before = [attempt for attempt in e.changes if attempt.ended < first]
    if min(len(calm), len(before)) >= _ENOUGH:
        now_s, most_s = _p99(calm), max(2 * _p99(before), _FAST_ENOUGH_S)
        yield (
            None
            if now_s <= most_s
            else f"p99 is {now_s:.2f} s, at most {most_s:.2f} s after {_p99(before):.2f} s"
        )


def _p99(attempts: Sequence[Attempt]) -> float:
    seconds = sorted(attempt.ended - attempt.began for attempt in attempts)
    return seconds[len(seconds) * 99 // 100]


def _calm(attempt: Attempt, faults: Sequence[Fault]) -> bool:
    """After a fault, and far from all of them."""
    after = any(fault.ended < attempt.began for fault in faults)
    near = any(
        fault.began <= attempt.ended and attempt.began <= fault.ended + _RECOVERED_S for fault in faults
    )
    return after and not near


def deadlines(e: Evidence) -> Iterator[Finding]:
    """L4: every request ends by its deadline."""
    for attempt in e.history.attempts:
        in_time = attempt.ended - attempt.began <= _DEADLINE_S
        yield None if in_time else f"{attempt} took {attempt.ended - attempt.began:.1f} s"


def nothing_held(e: Evidence) -> Iterator[Finding]:
    """L5: maps of waiting calls are empty again. (That memory returns to where it was, only a soak can show.)"""
    for what, count in e.record.waiting.items():
        yield None if count == 0 else f"{what}: {count:g}"
