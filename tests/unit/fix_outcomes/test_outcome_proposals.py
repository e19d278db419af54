"""product.md section 3: what the AI thinks of a fix changes neither its status nor its version."""

import pytest
from fix_outcomes_doubles import Record, proposal
from shared.contracts.views import OutcomeProposal
from unit.fix_outcomes.outcomes import COLUMNS, FINAL, OUTCOMES, PARKED


class TestProposal:
    @pytest.mark.parametrize("status", ["proposed", *PARKED])
    def test_setting_one_changes_neither_status_nor_version_but_is_a_change(
        self, record: Record, status: str
    ) -> None:
        fix = record.fix_in(status)
        version, sequence = record.versions(fix)

        answer = record.propose(fix)

        assert (answer.status, answer.body["status"], answer.body["state_version"]) == (200, status, version)
        assert record.versions(fix) == (version, sequence + 1)
        assert answer.body["ai_outcome_proposal"] == {
            "outcome": "success",
            "reason": "Client: internet is back",
            "confidence_pct": 70,
            "evidence": [{"message_id": "0192f000-0000-7000-8000-00000000000e", "quote": "it's back"}],
        }

    def test_a_new_one_replaces_an_older_one_as_a_whole(self, record: Record) -> None:
        fix = record.open_fix()
        record.propose(fix)

        answer = record.propose(
            fix, OutcomeProposal.model_validate({"outcome": "failed", "reason": "still down"})
        )

        assert answer.body["ai_outcome_proposal"] == {
            "outcome": "failed",
            "reason": "still down",
            "confidence_pct": None,
            "evidence": [],
        }

    def test_it_touches_no_column_and_no_stamp_of_the_fix(self, record: Record) -> None:
        fix = record.fix_in("applied_pending")
        before = record.fixes[fix]
        record.propose(fix, proposal("success"))
        after = record.fixes[fix]
        kept = (*COLUMNS, "status", "applied_at", "verified_at", "superseded_at", "created_at")
        assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]

    @pytest.mark.parametrize("status", FINAL)
    def test_setting_one_on_a_final_fix_is_409(self, record: Record, status: str) -> None:
        fix = record.fix_in(status)
        before = record.snapshot()

        answer = record.propose(fix)

        assert (answer.status, answer.body["code"]) == (409, "outcome_final")
        assert answer.body["current"]["status"] == status
        assert record.snapshot() == before

    def test_setting_one_on_a_superseded_fix_is_409(self, record: Record) -> None:
        fix = record.open_fix()
        record.suggest(record.session_of(fix).id)
        before = record.snapshot()

        answer = record.propose(fix)

        assert (answer.status, answer.body["code"]) == (409, "fix_superseded")
        assert record.snapshot() == before

    @pytest.mark.parametrize("status", ["proposed", *PARKED])
    def test_deleting_one_clears_it_and_changes_neither_status_nor_version(
        self, record: Record, status: str
    ) -> None:
        fix = record.fix_in(status)
        record.propose(fix)
        version, sequence = record.versions(fix)

        answer = record.clear(fix)

        assert (answer.status, answer.body["status"]) == (200, status)
        assert answer.body["ai_outcome_proposal"] is None
        assert record.versions(fix) == (version, sequence + 1)

    @pytest.mark.parametrize("status", ["proposed", *OUTCOMES])
    def test_deleting_one_that_is_not_there_is_200_and_changes_nothing(
        self, record: Record, status: str
    ) -> None:
        fix = record.fix_in(status)
        before = record.snapshot()

        answer = record.clear(fix)

        assert (answer.status, answer.body["id"]) == (200, str(fix))
        assert record.snapshot() == before
