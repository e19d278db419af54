"""Many commands at once: each has its own fate, and is decided once."""

from fix_outcomes.domain.batch import decide_batch
from fix_outcomes_doubles import (
    ACCOUNT,
    OTHER_ACCOUNT,
    START,
    Record,
    add_message,
    command,
    confirm_fact,
    create_session,
    outcome_of,
    suggest_fix,
)
from shared.contracts.commands import (
    ApplyFix,
    ResolveSession,
)
from shared.ids import new_id
from unit.fix_outcomes.actions import codes


class TestFates:
    def test_a_refusal_refuses_that_command_alone(self, record: Record) -> None:
        fix = record.open_fix()
        session = record.session_of(fix).id

        answered = codes(
            record,
            command(add_message(session)),
            command(outcome_of(session, fix, "applied_success")),
            command(outcome_of(session, fix, "applied_failed")),
            command(add_message(new_id())),
            command(ApplyFix(session_id=session, fix_id=fix)),
            command(confirm_fact(session)),
        )

        assert answered == [201, 200, "outcome_final", "not_found", "not_proposed", 201]
        assert record.fixes[fix].status == "applied_success"

    def test_the_answers_come_in_the_order_of_the_commands_and_name_their_refs(self, record: Record) -> None:
        session = record.open_session()
        batch = [command(add_message(session, str(n)), ref=100 - n) for n in range(5)]

        answers, _ = record.transact(batch)

        assert [answer.ref for answer in answers] == [100, 99, 98, 97, 96]
        assert [answer.body["content"] for answer in answers] == ["0", "1", "2", "3", "4"]

    def test_each_command_sees_what_the_ones_before_it_left(self, record: Record) -> None:
        session = record.open_session()
        batch = [command(add_message(session), if_match=version) for version in (1, 2, 2, 3)]

        assert codes(record, *batch) == [201, 201, "version_conflict", 201]
        assert record.sessions[session].state_version == 4
        assert [entry.sequence for entry in record.history(session)] == [1, 2, 3, 4]

    def test_a_session_can_be_opened_used_and_closed_in_one_batch(self, record: Record) -> None:
        opening = command(create_session())
        session = opening.command_id
        suggesting = command(suggest_fix(session))
        fix = suggesting.command_id

        answered = codes(
            record,
            opening,
            suggesting,
            command(outcome_of(session, fix, "applied_success")),
            command(ResolveSession(session_id=session)),
        )

        assert answered == [201, 201, 200, 200]
        assert record.sessions[session].status == "resolved"
        assert record.fixes[fix].status == "applied_success"

    def test_two_accounts_in_a_batch_each_reach_their_own_session_only(self, record: Record) -> None:
        mine, theirs = record.open_session(), record.open_session(account=OTHER_ACCOUNT)

        answered = codes(
            record,
            command(add_message(mine)),
            command(add_message(theirs)),
            command(add_message(theirs), account=OTHER_ACCOUNT),
            command(add_message(mine), account=OTHER_ACCOUNT),
        )

        assert answered == [201, "not_found", 201, "not_found"]

    def test_one_final_outcome_wins_of_many_in_one_batch(self, record: Record) -> None:
        fix = record.open_fix()
        session = record.session_of(fix).id
        outcomes = ("dismissed", "applied_success", "applied_failed", "applied_pending", "applied_partial")

        answered = codes(record, *(command(outcome_of(session, fix, outcome)) for outcome in outcomes))

        assert answered == [200, *["outcome_final"] * 4]


class TestWrites:
    def test_each_row_is_written_once_and_in_its_last_state(self, record: Record) -> None:
        fix = record.open_fix()
        session = record.session_of(fix).id
        batch = [
            command(ApplyFix(session_id=session, fix_id=fix)),
            command(outcome_of(session, fix, "applied_pending", "until tonight")),
            command(outcome_of(session, fix, "applied_pending", "until Monday")),
            command(outcome_of(session, fix, "applied_success")),
        ]

        _, writes = record.transact(batch)

        assert list(writes.changed_sessions) == [session]
        assert writes.changed_sessions[session].state_version == 6
        assert list(writes.changed_fixes) == [fix]
        assert writes.changed_fixes[fix].status == "applied_success"
        assert writes.changed_fixes[fix].pending_reason == "until Monday"
        assert (writes.created_sessions, writes.created_fixes) == ({}, {})
        assert [entry.sequence for entry in writes.entries] == [3, 4, 5, 6]

    def test_a_row_that_is_created_and_changed_is_only_created(self, record: Record) -> None:
        opening = command(create_session())
        first, second = (command(suggest_fix(opening.command_id)) for _ in range(2))

        _, writes = record.transact([opening, first, second])

        assert list(writes.created_sessions) == [opening.command_id]
        assert writes.created_sessions[opening.command_id].sequence == 3
        assert list(writes.created_fixes) == [first.command_id, second.command_id]
        assert writes.created_fixes[first.command_id].superseded_at is not None
        assert (writes.changed_sessions, writes.changed_fixes) == ({}, {})

    def test_a_batch_of_refusals_writes_nothing_but_the_command_log(self, record: Record) -> None:
        session = record.open_session()
        record.resolve(session)
        batch = [command(add_message(session)), command(add_message(new_id()))]

        _, writes = record.transact(batch)

        assert [logged.status for logged in writes.log] == [409, 404]
        rest = {name: getattr(writes, name) for name in writes.__slots__ if name != "log"}
        assert not any(rest.values())

    def test_a_batch_of_repeats_writes_nothing_at_all(self, record: Record) -> None:
        session = record.open_session()
        batch = [command(add_message(session)), command(suggest_fix(session))]
        record.transact(batch)

        _, writes = record.transact(batch)

        assert not any(getattr(writes, name) for name in writes.__slots__)

    def test_the_log_holds_what_was_answered_and_when_it_was_accepted_and_decided(
        self, record: Record
    ) -> None:
        asked = command(create_session(), issued_at=START)

        answer = record.send(asked)

        logged = record.log[asked.command_id]
        assert (logged.status, logged.answer) == (201, answer.body)
        assert (logged.account_id, logged.fingerprint) == (ACCOUNT, "first")
        assert (logged.accepted_at, logged.decided_at) == (START, record.now)

    def test_what_was_known_is_not_what_is_written_to_by_a_refused_command(self, record: Record) -> None:
        session = record.open_session()
        known = record.known([command(add_message(session))])
        before = dict(known.sessions)

        decide_batch(known, [command(add_message(session), if_match=99)], at=record.now)

        assert known.sessions == before
