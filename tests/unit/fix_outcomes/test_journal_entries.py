"""What every accepted change leaves in the journal: what a person reads there, and the event that is published."""

from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from fix_outcomes.domain import views
from fix_outcomes.domain.model import Entry
from fix_outcomes_doubles import (
    ACCOUNT,
    MINUTE,
    SAM,
    Record,
    add_message,
    command,
    confirm_fact,
    create_session,
    suggest_fix,
)
from shared.contracts.events import DATA, CloudEvent


def told(entry: Entry) -> dict[str, object]:
    """The data of the event, but for what every event carries."""
    everywhere = {"account_id", "session_id", "command_id", "state_version", "actor"}
    data = entry.data.model_dump(mode="json", by_alias=True)
    return {name: value for name, value in data.items() if name not in everywhere}


def everything(record: Record) -> UUID:
    """A session in which everything happens that can happen."""
    session = record.open_session()
    record.ask(add_message(session))
    record.ask(confirm_fact(session))
    first = record.suggest(session)
    record.propose(first)
    record.clear(first)
    record.suggest(session)
    second = record.suggest(session)
    record.apply(second)
    record.propose(second)
    record.outcome(second, "applied_pending", "until tonight")
    record.escalate(session)
    record.outcome(second, "applied_success", "client confirmed")
    return session


def test_every_kind_of_change_is_entered_with_the_data_that_its_event_promises(record: Record) -> None:
    entries = record.history(everything(record)) + record.history(_resolved(record))

    assert {entry.kind for entry in entries} == DATA.keys() - {"note.regenerated"}
    for entry in entries:
        assert type(entry.data) is DATA[entry.kind]


def _resolved(record: Record) -> UUID:
    session = record.open_session()
    record.resolve(session)
    return session


def test_sequences_are_gapless_and_the_last_ones_are_the_sessions_own(record: Record) -> None:
    session = everything(record)
    entries = record.history(session)

    assert [entry.sequence for entry in entries] == list(range(1, 14))
    last = record.sessions[session]
    assert (entries[-1].sequence, entries[-1].state_version) == (last.sequence, last.state_version)


def test_the_version_stands_still_over_proposals_and_else_rises_by_one(record: Record) -> None:
    entries = record.history(everything(record))
    for before, after in pairwise(entries):
        guess = after.kind in {"fix.outcome_proposed", "fix.outcome_proposal_cleared"}
        assert after.state_version == before.state_version + (0 if guess else 1)


def test_an_entry_names_who_when_and_by_which_command(record: Record) -> None:
    session = everything(record)
    for entry in record.history(session):
        assert (entry.account_id, entry.session_id, entry.actor) == (ACCOUNT, session, SAM)
        assert record.log[entry.command_id].decided_at == entry.at
        assert entry.data.command_id == entry.command_id
        assert entry.data.state_version == entry.state_version
        assert (entry.data.account_id, entry.data.session_id, entry.data.actor) == (ACCOUNT, session, SAM)


def test_every_from_is_the_to_before_it(record: Record) -> None:
    session = everything(record)
    chain = [
        (entry.from_status, entry.to_status)
        for entry in record.history(session)
        if entry.kind.startswith("fix") and entry.to_status and entry.fix_id == _fixes(record)[-1]
    ]
    assert chain == [
        (None, "proposed"),
        ("proposed", "applied_pending"),
        ("applied_pending", "applied_success"),
    ]


def _fixes(record: Record) -> list[UUID]:
    return list(record.fixes)


def test_the_event_of_an_outcome_tells_the_whole_state_of_the_fix(record: Record) -> None:
    fix = record.open_fix()
    record.outcome(fix, "applied_pending", "until tonight")
    pending_at = record.now
    record.outcome(fix, "applied_partial", "two of three")
    record.propose(fix)
    record.outcome(fix, "applied_failed", "third one is broken")

    entry = record.last_entry()
    assert (entry.from_status, entry.to_status, entry.fix_id) == ("applied_partial", "applied_failed", fix)
    assert entry.notes == "third one is broken"
    assert told(entry) == {
        "fix_id": str(fix),
        "from": "applied_partial",
        "to": "applied_failed",
        "notes": "third one is broken",
        "pending_reason": "until tonight",
        "partial_notes": "two of three",
        "failure_reason": "third one is broken",
        "applied_at": pending_at.isoformat().replace("+00:00", "Z"),
        "verified_at": record.now.isoformat().replace("+00:00", "Z"),
        "cleared_proposal": True,
    }


def test_the_event_of_an_application_tells_when(record: Record) -> None:
    fix = record.open_fix()
    record.apply(fix)
    assert told(record.last_entry()) == {
        "fix_id": str(fix),
        "applied_at": record.now.isoformat().replace("+00:00", "Z"),
    }


def test_the_events_of_a_proposal_tell_the_guess_and_that_it_is_gone(record: Record) -> None:
    fix = record.open_fix()
    record.propose(fix)
    assert told(record.last_entry()) == {
        "fix_id": str(fix),
        "outcome": "success",
        "reason": "Client: internet is back",
        "confidence_pct": 70,
    }
    record.clear(fix)
    assert told(record.last_entry()) == {"fix_id": str(fix)}


def test_closing_tells_from_what_to_what(record: Record) -> None:
    session = record.open_session()
    record.resolve(session)
    entry = record.last_entry()
    assert (entry.kind, entry.from_status, entry.to_status) == ("session.resolved", "active", "resolved")
    assert told(entry) == {"from": "active", "to": "resolved", "pending_verification": []}


def test_what_people_wrote_in_messages_and_facts_travels_in_no_event(record: Record) -> None:
    session = record.open_session()
    record.ask(add_message(session, "password is hunter2"))
    record.ask(confirm_fact(session, "hunter2 works"))
    assert "hunter2" not in str([told(entry) for entry in record.history(session)])


def test_the_journal_entry_becomes_a_cloudevent_that_its_reader_understands(record: Record) -> None:
    fix = record.open_fix()
    record.outcome(fix, "applied_success")
    entry = record.last_entry()

    event = views.event(
        account_id=entry.account_id,
        session_id=entry.session_id,
        sequence=entry.sequence,
        kind=entry.kind,
        fix_id=entry.fix_id,
        at=entry.at,
        data=entry.data.model_dump(mode="json", by_alias=True),
    )

    read = CloudEvent.model_validate(event)
    assert read.id == f"{entry.session_id}/3"
    assert read.source == f"/accounts/{ACCOUNT}/ai-sessions/{entry.session_id}"
    assert read.subject == f"suggested-fixes/{fix}"
    assert read.type == "com.resolutionflow.fix.outcome_recorded.v1"
    assert read.sequence == "00000000000000000003"
    assert read.time == record.now
    assert event["time"].endswith("Z")
    assert DATA["fix.outcome_recorded"].model_validate(read.data) == entry.data


def test_an_event_about_a_session_has_no_subject(record: Record) -> None:
    record.open_session()
    entry = record.last_entry()
    event = views.event(
        account_id=ACCOUNT,
        session_id=entry.session_id,
        sequence=1,
        kind=entry.kind,
        fix_id=None,
        at=entry.at,
        data={},
    )
    assert "subject" not in event


class TestTime:
    """Replicas' clocks differ; a session's time never runs backwards, since its fixes are ordered by it."""

    def test_a_clock_that_goes_back_moves_no_session_back(self, record: Record) -> None:
        session = record.open_session()
        older = record.suggest(session)
        record.outcome(older, "applied_pending")
        record.now -= timedelta(hours=1)
        newer = record.suggest(session)
        record.outcome(older, "applied_success")

        times = [entry.at for entry in record.history(session)]
        assert times == sorted(times)
        assert record.fixes[newer].created_at > record.fixes[older].created_at
        applied_at, verified_at = record.fixes[older].applied_at, record.fixes[older].verified_at
        assert applied_at is not None
        assert verified_at is not None
        assert verified_at >= applied_at
        assert record.sessions[session].updated_at == times[-1]

    def test_fixes_suggested_in_one_batch_can_be_told_apart_by_their_time(self, record: Record) -> None:
        session = record.open_session()
        record.transact([command(suggest_fix(session)) for _ in range(5)])
        assert len({fix.created_at for fix in record.fixes.values()}) == 5

    def test_a_clock_that_is_right_is_believed(self, record: Record) -> None:
        fix = record.open_fix()
        record.now += MINUTE
        record.apply(fix)
        assert record.fixes[fix].applied_at == record.now


def test_a_command_that_was_refused_or_changed_nothing_has_no_entry(record: Record) -> None:
    fix = record.open_fix()
    record.apply(fix)
    entries = len(record.journal)
    record.apply(fix)
    record.clear(fix)
    record.outcome(fix, "applied_success", if_match=99)
    record.ask(create_session(), role="viewer")
    assert len(record.journal) == entries
