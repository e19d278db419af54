"""product.md section 3: of two engineers one wins; and what may be recorded next is in every answer."""

import pytest
from fix_outcomes_doubles import Record
from unit.fix_outcomes.outcomes import FINAL, OUTCOMES, PARKED


class TestTwoEngineers:
    @pytest.mark.parametrize("first", FINAL)
    @pytest.mark.parametrize("second", OUTCOMES)
    def test_the_later_of_two_gets_409_with_the_current_state(
        self, record: Record, first: str, second: str
    ) -> None:
        fix = record.open_fix()
        winner = record.outcome(fix, first, "was first")

        loser = record.outcome(fix, second, "was later")

        assert loser.status == 409
        assert loser.body["current"] == winner.body

    def test_a_matching_if_match_is_accepted(self, record: Record) -> None:
        fix = record.open_fix()
        assert record.outcome(fix, "applied_success", if_match=record.versions(fix)[0]).status == 200

    @pytest.mark.parametrize("off_by", [-1, 1, 10**30])
    def test_any_other_if_match_is_412_with_the_current_state(self, record: Record, off_by: int) -> None:
        fix = record.open_fix()
        before = record.snapshot()

        answer = record.outcome(fix, "applied_success", if_match=record.versions(fix)[0] + off_by)

        assert (answer.status, answer.body["code"]) == (412, "version_conflict")
        assert answer.body["current"]["state_version"] == record.versions(fix)[0]
        assert record.snapshot() == before

    def test_an_ai_proposal_makes_nobodys_version_stale(self, record: Record) -> None:
        fix = record.open_fix()
        version = record.versions(fix)[0]
        record.propose(fix)
        assert record.outcome(fix, "applied_success", if_match=version).status == 200

    def test_of_two_with_the_same_if_match_one_wins(self, record: Record) -> None:
        fix = record.open_fix()
        version = record.versions(fix)[0]
        statuses = [record.outcome(fix, "applied_pending", if_match=version).status for _ in range(2)]
        assert statuses == [200, 412]


class TestAllowedOutcomes:
    @pytest.mark.parametrize("status", ["proposed", *PARKED])
    def test_every_outcome_may_follow_what_is_not_final(self, record: Record, status: str) -> None:
        fix = record.fix_in(status)
        assert set(record.propose(fix).body["allowed_outcomes"]) == set(OUTCOMES)

    @pytest.mark.parametrize("status", FINAL)
    def test_none_may_follow_a_final_one(self, record: Record, status: str) -> None:
        fix = record.open_fix()
        assert record.outcome(fix, status).body["allowed_outcomes"] == []

    def test_none_may_follow_on_a_superseded_fix(self, record: Record) -> None:
        fix = record.open_fix()
        record.suggest(record.session_of(fix).id)
        assert record.outcome(fix, "dismissed").body["current"]["allowed_outcomes"] == []
