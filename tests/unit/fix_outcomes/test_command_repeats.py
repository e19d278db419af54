"""A repeated command gets its first answer; another request under the same key does not."""

import pytest
from fix_outcomes.domain.batch import decide_batch
from fix_outcomes_doubles import (
    OTHER_ACCOUNT,
    Record,
    add_message,
    command,
    confirm_fact,
    create_session,
    outcome_of,
)
from shared.contracts.commands import (
    ResolveSession,
)
from unit.fix_outcomes.actions import KINDS, action_of, codes


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

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_command_whose_answer_is_forgotten_is_not_decided_again_and_no_refusal_is_kept_of_it(
        self, record: Record, kind: str
    ) -> None:
        fix = record.open_fix()
        asked = command(action_of(kind, record.session_of(fix).id, fix))
        record.send(asked)
        entered = asked.command_id in {entry.command_id for entry in record.journal.values()}
        del record.log[asked.command_id]

        [again], writes = record.transact([asked])

        assert (again.body.get("code") == "idempotency_key_reused") is entered
        assert (writes.log == []) is entered

    def test_a_command_whose_answer_is_forgotten_is_not_refused_by_what_came_of_it(
        self, record: Record
    ) -> None:
        fix = record.open_fix()
        asked = command(outcome_of(record.session_of(fix).id, fix, "applied_success"), if_match=2)
        record.send(asked)
        del record.log[asked.command_id]

        again = record.send(asked)

        assert again.body["code"] == "idempotency_key_reused"
        assert asked.command_id not in record.log

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
