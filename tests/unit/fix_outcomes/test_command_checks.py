"""The checks of a command, in the order of product.md section 3."""

import pytest
from fix_outcomes.domain.batch import Known, decide_batch
from fix_outcomes_doubles import (
    OTHER_ACCOUNT,
    START,
    Record,
    add_message,
    command,
    create_session,
)
from shared.contracts.commands import (
    ApplyFix,
)
from shared.contracts.vocabulary import Role
from shared.ids import new_id
from unit.fix_outcomes.actions import KINDS, PEOPLE_ONLY, action_of


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
