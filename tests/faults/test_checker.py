"""The checker is tested: a sound run is doctored in one place, and what that breaks must be named.

The sound runs are the simulation's. What real bugs look like in them, test_mutants.py tries.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from faults.checker import NEEDS_DATA, check
from faults.history import Attempt, Fault, History, Left, Seen
from faults.invariants.catalogue import INVARIANTS
from faults.invariants.evidence import Evidence
from faults.llm_log import Call
from faults.record import Record, Row
from faults.simulation.simulate import evidence_of
from faults.stored import Stored, Watch

LATER = 1_000.0
SEEDS = ("doctored-1", "doctored-2", "doctored-3", "doctored-4", "doctored-5", "doctored-6")


@cache
def sound() -> Evidence:
    """A clean run in which there was a bit of everything."""
    return next(run for run in map(evidence_of, SEEDS) if _has_everything(run))


def _has_everything(run: Evidence) -> bool:
    kinds = {attempt.request.kind for attempt in run.history.attempts if attempt.accepted}
    outcomes = [row for row in run.record.tables["journal"] if row["kind"] == "fix.outcome_recorded"]
    return {"preview", "read_session", "create_session", "record_outcome"} <= kinds and bool(outcomes)


def _attempt(run: Evidence, kind: str) -> Attempt:
    found = (
        a for a in run.history.attempts if a.request.kind == kind and a.accepted and not a.result.replayed
    )
    return next(attempt for attempt in found if attempt.request.key is not None or kind not in _CHANGES)


_CHANGES = {"record_outcome", "create_session", "suggest_fix"}


def _with(run: Evidence, *attempts: Attempt) -> Evidence:
    return replace(run, history=replace(run.history, attempts=(*run.history.attempts, *attempts)))


def _later(attempt: Attempt, *, took_s: float = 1.0, **result: Any) -> Attempt:
    changed = replace(attempt.result, **result)
    return replace(attempt, began=LATER, ended=LATER + took_s, result=changed)


def _table(run: Evidence, name: str, change: Callable[[list[Row]], list[Row]]) -> Evidence:
    tables = {**run.record.tables, name: change(list(run.record.tables[name]))}
    return replace(run, record=replace(run.record, tables=tables))


def _lost_answer(run: Evidence) -> Evidence:
    [row] = run.rows_of(_attempt(run, "record_outcome"))
    return _table(run, "journal", lambda rows: [each for each in rows if each is not row])


def _phantom(run: Evidence) -> Evidence:
    return _table(run, "journal", lambda rows: [*rows, rows[-1] | {"command_id": "nobody's", "notes": None}])


def _twice(run: Evidence) -> Evidence:
    [row] = run.rows_of(_attempt(run, "record_outcome"))
    return _table(run, "journal", lambda rows: [*rows, row | {"sequence": 99}])


def _gap(run: Evidence) -> Evidence:
    return _table(run, "journal", lambda rows: [row | {"sequence": row["sequence"] + 1} for row in rows])


def _illegal(run: Evidence) -> Evidence:
    def relapse(row: Row) -> Row:
        return row | {"from_status": "dismissed"} if row["kind"] == "fix.outcome_recorded" else row

    return _table(run, "journal", lambda rows: [relapse(row) for row in rows])


def _two_winners(run: Evidence) -> Evidence:
    won = _attempt(run, "record_outcome")
    return _with(
        run,
        *(replace(won, request=replace(won.request, key=key, if_match=1)) for key in ("one", "other")),
    )


def _stale_read(run: Evidence) -> Evidence:
    read = _attempt(run, "read_session")
    return _with(run, _later(read, answer={**read.result.answer, "state_version": 0}))


def _without_outbox(run: Evidence) -> Evidence:
    return _table(run, "outbox", lambda rows: rows[1:])


def _stale_note(run: Evidence) -> Evidence:
    preview = _attempt(run, "preview")
    return _with(run, _later(preview, answer={**preview.result.answer, "state_version": 0}))


def _note(run: Evidence, **changes: Any) -> Evidence:
    (key, stored), *rest = run.record.notes.items()
    notes = {key: {**stored, **changes}, **dict(rest)}
    return replace(run, record=replace(run.record, notes=notes))


def _leak(run: Evidence) -> Evidence:
    read = _attempt(run, "create_session")
    [other] = [mark for account, mark in run.history.accounts.items() if account != read.request.account]
    return _with(run, _later(read, answer={**read.result.answer, "title": other}))


def _queued(run: Evidence) -> Evidence:
    return replace(run, record=replace(run.record, queues={"fix-outcomes.commands.v1": 1}))


def _second_call(run: Evidence) -> Evidence:
    calls = (Call(1.0, "one note", "a"), Call(2.0, "one note", "a"))
    return replace(run, history=replace(run.history, faults=()), model_calls=calls)


def _overspent(run: Evidence) -> Evidence:
    calls = (Call(1.0, "one note", "a", usd=0.6), Call(2.0, "other note", "a", usd=0.6))
    return replace(run, history=replace(run.history, budget_usd=1.0), model_calls=calls)


def _never_recovered(run: Evidence) -> Evidence:
    history = replace(run.history, faults=(Fault("anything", 0.0, 1.0),))
    failed = _later(_attempt(run, "record_outcome"), status=503, retry_after="1")
    return _with(replace(run, history=history), failed)


def _without_note(run: Evidence) -> Evidence:
    return replace(run, record=replace(run.record, notes={}))


DOCTORED: dict[str, Callable[[Evidence], Evidence]] = {
    "data": lambda run: replace(run, events=()),
    "S1": _lost_answer,
    "S2": _phantom,
    "S3": _twice,
    "S4": _gap,
    "S5": _illegal,
    "S6": _two_winners,
    "S7": _stale_read,
    "S8": _without_outbox,
    "S9": lambda run: replace(run, events=run.events[1:]),
    "S10": _stale_note,
    "S11": lambda run: _note(run, version=99),
    "S12": _leak,
    "S13": _queued,
    "S14": _second_call,
    "S15": _overspent,
    "S16": lambda run: _with(run, _later(_attempt(run, "read_session"), status=500)),
    "L1": _never_recovered,
    "L2": lambda run: _table(run, "outbox", lambda rows: [rows[0] | {"published": False}, *rows[1:]]),
    "L3": _without_note,
    "L4": lambda run: _with(run, _later(_attempt(run, "read_session"), took_s=9.0)),
    "L5": lambda run: replace(run, record=replace(run.record, waiting={"gateway commands": 3.0})),
}


def test_a_sound_run_is_clean() -> None:
    report = check(sound(), needs_data=frozenset())
    assert report.clean, report


def test_every_invariant_is_tried() -> None:
    assert set(DOCTORED) == set(INVARIANTS)


@pytest.mark.parametrize("invariant", DOCTORED)
def test_what_a_doctored_run_breaks_is_named(invariant: str) -> None:
    report = check(DOCTORED[invariant](sound()), needs_data=frozenset())
    assert invariant in report.broken, report


@pytest.mark.parametrize(("took_s", "broken"), [(1.0, True), (0.1, False)])
def test_changes_that_stay_slow_after_a_fault_break_l1(took_s: float, broken: bool) -> None:
    change = replace(_attempt(sound(), "record_outcome"), began=1.0, ended=1.1)
    slow = replace(change, began=LATER, ended=LATER + took_s)
    history = replace(
        sound().history, attempts=(change,) * 100 + (slow,) * 100, faults=(Fault("x", 5.0, 6.0),)
    )
    report = check(replace(sound(), history=history), needs_data=frozenset())
    assert ("L1" in report.broken) is broken


@pytest.mark.parametrize(("if_match", "broken"), [(4, False), (3, True)])
def test_what_is_accepted_under_an_if_match_makes_the_version_after_it(if_match: int, broken: bool) -> None:
    record = _attempt(sound(), "record_outcome")
    request = replace(record.request, if_match=if_match)
    made = replace(_later(record, answer={**record.result.answer, "state_version": 5}), request=request)
    report = check(_with(sound(), made), needs_data=frozenset())
    assert ("S6" in report.broken) is broken


@pytest.mark.parametrize(
    ("versions", "broken"),
    [((3, 2), True), ((3, 2, 4), True), ((3, 3), False), ((3, 0, 2), False), ((3, 0, 2, 1), True)],
)
def test_an_older_note_stored_over_a_newer_one_breaks_s10(versions: tuple[int, ...], broken: bool) -> None:
    stored = [Stored("rf:note:an-account:a-session:resolution_note", version) for version in versions]
    report = check(replace(sound(), stored=stored), needs_data=frozenset())
    assert ("S10" in report.broken) is broken


VIEWED = {
    "all of it": (lambda ids: ids, None),
    "after a break": (lambda ids: ids[2:], None),
    "with a gap": (lambda ids: [*ids[:1], *ids[2:]], "S9"),
    "twice": (lambda ids: [*ids[:2], *ids[1:]], "S9"),
    "in another order": (lambda ids: [*ids[1::-1], *ids[2:]], "S9"),
    "not to its end": (lambda ids: ids[:-1], "S9"),
    "not at all": (lambda ids: [], "S9"),
    "more than there is": (lambda ids: [*ids, ids[-1] + 1], "S9"),
}


@pytest.mark.parametrize(("chosen", "broken"), VIEWED.values(), ids=VIEWED)
def test_a_viewer_sees_every_change_once_and_in_order(
    chosen: Callable[[list[int]], list[int]], broken: str | None
) -> None:
    report = check(_viewed(chosen), needs_data=frozenset())
    assert report.broken == ((broken,) if broken else ())


def test_a_viewer_that_is_shown_what_is_anothers_breaks_s12() -> None:
    viewed = _viewed(lambda ids: ids)
    [first, *rest] = viewed.history.seen
    [stranger] = [mark for account, mark in viewed.history.accounts.items() if account != first.account]
    leaking = replace(first, data={**first.data, "notes": stranger})
    report = check(
        replace(viewed, history=replace(viewed.history, seen=(leaking, *rest))), needs_data=frozenset()
    )
    assert report.broken == ("S12",)


def _viewed(chosen: Callable[[list[int]], list[int]]) -> Evidence:
    """Somebody watched the longest session, and saw these of its changes."""
    run = sound()
    session, rows = max(run.journal.items(), key=lambda each: len(each[1]))
    told = {row["sequence"]: {"data": {"command_id": row["command_id"]}} for row in rows}
    account = rows[0]["account_id"]
    nobodys = {"data": {"command_id": "nobody's"}}
    seen = tuple(
        Seen("somebody", account, session, event="some.change", id=id_, data=told.get(id_, nobodys))
        for id_ in chosen(list(told))
    )
    left = (Left("somebody", session, owed=max(told)),)
    return replace(run, history=replace(run.history, seen=seen, left=left))


def test_what_redis_stores_and_loses_is_heard() -> None:
    watch = Watch("redis://nowhere")
    for command in (
        'HSET rf:note:a:s:resolution_note v 3 d {"markdown":"HSET rf:note:a:s:resolution_note v 1 "}',
        "HSET rf:note:a:s:resolution_note a 3",
        "HGET rf:note:a:s:resolution_note v",
        "DEL rf:lock:a:s:resolution_note:3",
        "HSET rf:note:a:s:escalation_package v 3 d {}",
        "DEL rf:note:a:s:resolution_note",
        "FLUSHALL",
    ):
        watch.hear(command)
    resolution, escalation = (f"rf:note:a:s:{kind}" for kind in ("resolution_note", "escalation_package"))
    assert watch.stored == [
        Stored(resolution, 3),
        Stored(escalation, 3),
        Stored(resolution, 0),
        Stored(resolution, 0),
        Stored(escalation, 0),
    ]


def test_a_run_without_data_breaks_whatever_needs_some() -> None:
    nothing = Record(tables={name: [] for name in sound().record.tables}, notes={}, queues={}, parked={})
    empty = Evidence(history=History("", {}, (), (), ()), record=nothing, events=())
    assert set(check(empty).broken) >= NEEDS_DATA
