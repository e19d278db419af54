"""Many commands at once: each has its own fate, and is decided once."""

from uuid import UUID

import pytest
from fix_outcomes.domain.batch import Known, decide_batch
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
    proposal,
    suggest_fix,
)
from shared.contracts.commands import (
    Action,
    ApplyFix,
    ClearProposal,
    Command,
    EscalateSession,
    ProposeOutcome,
    ResolveSession,
)
from shared.contracts.vocabulary import Role
from shared.ids import new_id


@pytest.fixture
def record() -> Record:
    return Record()


def codes(record: Record, *batch: Command) -> list[str | int]:
    """What one transaction answers: the refusal's code, or the status."""
    return [answer.body.get("code", answer.status) for answer in record.transact(batch)[0]]


def every_action(session: UUID, fix: UUID) -> list[Action]:
    return [
        add_message(session),
        confirm_fact(session),
        suggest_fix(session),
        ApplyFix(session_id=session, fix_id=fix),
        outcome_of(session, fix, "applied_success"),
        ProposeOutcome(session_id=session, fix_id=fix, proposal=proposal()),
        ClearProposal(session_id=session, fix_id=fix),
        ResolveSession(session_id=session),
        EscalateSession(session_id=session),
    ]


KINDS = [action.kind for action in every_action(ACCOUNT, ACCOUNT)]
PEOPLE_ONLY = {"apply_fix", "record_outcome", "resolve_session", "escalate_session"}


def action_of(kind: str, session: UUID, fix: UUID) -> Action:
    return next(action for action in every_action(session, fix) if action.kind == kind)


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


class TestRepeats:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_repeat_gets_the_first_answer_and_changes_nothing(self, record: Record, kind: str) -> None:
        fix = record.open_fix()
        asked = command(action_of(kind, record.session_of(fix).id, fix))
        first = record.send(asked)
        before = record.snapshot()

        again = record.send(asked.model_copy(update={"ref": 77}))

        assert (again.status, again.body, again.ref) == (first.status, first.body, 77)
        assert (first.replayed, again.replayed) == (False, True)
        assert record.snapshot() == before

    def test_a_repeat_gets_the_first_answer_though_the_world_has_moved_on(self, record: Record) -> None:
        fix = record.open_fix()
        session = record.session_of(fix).id
        asked = command(outcome_of(session, fix, "applied_pending", "until tonight"), if_match=2)
        first = record.send(asked)
        record.outcome(fix, "applied_failed", "still down")
        record.resolve(session)

        again = record.send(asked)

        assert (again.status, again.body, again.replayed) == (200, first.body, True)
        assert record.fixes[fix].status == "applied_failed"

    def test_a_refusal_is_kept_and_repeated_though_it_would_be_accepted_now(self, record: Record) -> None:
        fix = record.fix_in("applied_pending")
        session = record.session_of(fix).id
        asked = command(ResolveSession(session_id=session))
        refused = record.send(asked)
        record.outcome(fix, "applied_success")

        again = record.send(asked)

        assert (again.status, again.body, again.replayed) == (409, refused.body, True)
        assert record.sessions[session].status == "active"

    def test_repeats_within_one_batch_are_decided_once(self, record: Record) -> None:
        session = record.open_session()
        asked = command(add_message(session))

        answers, writes = record.transact([asked, asked, asked])

        assert [answer.replayed for answer in answers] == [False, True, True]
        assert answers[0].body == answers[1].body == answers[2].body
        assert (len(writes.messages), len(writes.entries), len(writes.log)) == (1, 1, 1)

    def test_an_id_with_another_fingerprint_is_a_reused_key_and_the_first_answer_stays(
        self, record: Record
    ) -> None:
        session = record.open_session()
        asked = command(add_message(session))
        first = record.send(asked)
        before = record.snapshot()

        reused = record.ask(confirm_fact(session), command_id=asked.command_id, fingerprint="another")

        assert (reused.status, reused.body["code"], reused.replayed) == (422, "idempotency_key_reused", False)
        assert record.snapshot() == before
        assert record.send(asked).body == first.body

    def test_an_id_with_another_fingerprint_is_a_reused_key_within_one_batch_too(
        self, record: Record
    ) -> None:
        session = record.open_session()
        asked = command(add_message(session))
        assert codes(record, asked, asked.model_copy(update={"fingerprint": "another"})) == [
            201,
            "idempotency_key_reused",
        ]

    def test_a_reused_key_is_refused_for_a_new_session_too(self, record: Record) -> None:
        asked = command(create_session())
        record.send(asked)
        answer = record.ask(create_session(), command_id=asked.command_id, fingerprint="another")
        assert answer.body["code"] == "idempotency_key_reused"

    def test_a_key_whose_first_answer_was_a_refusal_is_reused_all_the_same(self, record: Record) -> None:
        session = record.open_session()
        refused = command(add_message(session), if_match=9)
        record.send(refused)
        answer = record.ask(add_message(session), command_id=refused.command_id, fingerprint="another")
        assert answer.body["code"] == "idempotency_key_reused"

    def test_another_accounts_command_of_the_same_id_never_gets_the_first_ones_answer(
        self, record: Record
    ) -> None:
        mine = record.open_session()
        theirs = record.open_session(account=OTHER_ACCOUNT)
        asked = command(add_message(mine, "our secret"))
        record.send(asked)
        batch = [
            command(add_message(mine)),
            command(add_message(theirs), account=OTHER_ACCOUNT, command_id=asked.command_id),
        ]

        answers, _ = decide_batch(record.known(batch), batch, at=record.now)

        assert "our secret" not in str(answers[1].body)
        assert not answers[1].replayed


class TestOrderOfChecks:
    """403, 404, 422 (key reused), replay, 412, 409."""

    @pytest.mark.parametrize("role", [*Role])
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_person_records_and_a_program_proposes_and_a_viewer_does_nothing(
        self, record: Record, role: Role, kind: str
    ) -> None:
        fix = record.open_fix()
        before = record.snapshot()
        allowed = role != "viewer" and not (role == "service" and kind in PEOPLE_ONLY)

        answer = record.ask(action_of(kind, record.session_of(fix).id, fix), role=role)

        if allowed:
            assert answer.status in {200, 201}
        else:
            assert (answer.status, answer.body["code"]) == (403, "forbidden")
            assert record.snapshot() == before

    @pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("service", 201), ("engineer", 201)])
    def test_a_viewer_opens_no_session(self, record: Record, role: str, status: int) -> None:
        assert record.ask(create_session(), role=Role(role)).status == status

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_role_that_may_not_is_403_also_where_there_is_nothing(self, record: Record, kind: str) -> None:
        assert record.ask(action_of(kind, new_id(), new_id()), role=Role.VIEWER).status == 403

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_foreign_session_answers_exactly_as_an_unknown_one(self, record: Record, kind: str) -> None:
        fix = record.open_fix()
        session = record.session_of(fix).id

        foreign = record.ask(action_of(kind, session, fix), account=OTHER_ACCOUNT)
        unknown = record.ask(action_of(kind, new_id(), new_id()), account=OTHER_ACCOUNT)

        assert (foreign.status, foreign.body) == (unknown.status, unknown.body)
        assert (foreign.status, foreign.body["code"]) == (404, "not_found")

    @pytest.mark.parametrize("kind", ["apply_fix", "record_outcome", "propose_outcome", "clear_proposal"])
    def test_a_fix_of_another_session_answers_exactly_as_an_unknown_one(
        self, record: Record, kind: str
    ) -> None:
        elsewhere, session = record.open_fix(), record.open_session()

        other = record.ask(action_of(kind, session, elsewhere))
        unknown = record.ask(action_of(kind, session, new_id()))

        assert (other.status, other.body) == (unknown.status, unknown.body)
        assert other.status == 404

    def test_404_comes_before_a_reused_key(self, record: Record) -> None:
        asked = command(create_session())
        record.send(asked)
        for action in (add_message(new_id()), ApplyFix(session_id=asked.command_id, fix_id=new_id())):
            answer = record.ask(action, command_id=asked.command_id, fingerprint="another")
            assert answer.body["code"] == "not_found"

    def test_a_reused_key_comes_before_a_stale_if_match(self, record: Record) -> None:
        session = record.open_session()
        asked = command(add_message(session))
        record.send(asked)
        answer = record.ask(
            add_message(session), command_id=asked.command_id, fingerprint="another", if_match=1
        )
        assert answer.body["code"] == "idempotency_key_reused"

    def test_a_replay_comes_before_a_stale_if_match(self, record: Record) -> None:
        session = record.open_session()
        asked = command(add_message(session), if_match=1)
        record.send(asked)
        assert record.send(asked).status == 201

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_stale_if_match_comes_before_every_conflict(self, record: Record, kind: str) -> None:
        fix = record.fix_in("dismissed")
        session = record.session_of(fix).id
        record.resolve(session)

        answer = record.ask(action_of(kind, session, fix), if_match=1)

        assert (answer.status, answer.body["code"]) == (412, "version_conflict")
        assert answer.body["current"]["state_version"] == 4

    def test_404_comes_before_a_stale_if_match(self, record: Record) -> None:
        assert record.ask(add_message(new_id()), if_match=1).status == 404


def test_a_command_on_an_empty_record_is_not_found() -> None:
    answers, writes = decide_batch(Known(), [command(add_message(new_id()))], at=START)
    assert answers[0].status == 404
    assert [logged.status for logged in writes.log] == [404]
