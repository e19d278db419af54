"""product.md section 3, sentence by sentence: what may happen to a fix, and what it leaves behind."""

import pytest
from fix_outcomes_doubles import MINUTE, Record
from pydantic import ValidationError
from shared.contracts.commands import RecordOutcome
from unit.fix_outcomes.outcomes import COLUMNS, FINAL, OUTCOMES, PARKED, columns


class TestNotes:
    @pytest.mark.parametrize("outcome", PARKED)
    @pytest.mark.parametrize("notes", [None, "", "  \n\t "])
    def test_pending_and_partial_without_words_are_refused_with_the_word_notes(
        self, outcome: str, notes: str | None
    ) -> None:
        body: dict[str, str | None] = {"session_id": "0192f000-0000-7000-8000-000000000001"}
        body |= {"fix_id": body["session_id"], "outcome": outcome, "notes": notes}
        with pytest.raises(ValidationError, match="notes"):
            RecordOutcome.model_validate(body)

    @pytest.mark.parametrize("outcome", FINAL)
    @pytest.mark.parametrize("notes", [None, "", "   "])
    def test_the_other_outcomes_need_no_words(self, record: Record, outcome: str, notes: str | None) -> None:
        fix = record.open_fix()

        assert record.outcome(fix, outcome, notes).status == 200
        assert columns(record, fix) == {}
        assert record.last_entry().notes is None

    @pytest.mark.parametrize(
        ("outcome", "column"),
        [
            ("applied_pending", "pending_reason"),
            ("applied_partial", "partial_notes"),
            ("applied_failed", "failure_reason"),
        ],
    )
    def test_the_words_go_into_the_column_of_their_outcome_and_into_no_other(
        self, record: Record, outcome: str, column: str
    ) -> None:
        fix = record.open_fix()

        answer = record.outcome(fix, outcome, "Prüfung läuft: AD-Replikation")

        assert columns(record, fix) == {column: "Prüfung läuft: AD-Replikation"}
        assert {name: answer.body[name] for name in COLUMNS if answer.body[name]} == columns(record, fix)

    @pytest.mark.parametrize("outcome", ["applied_success", "dismissed"])
    def test_the_words_of_success_and_dismissed_are_in_the_history_only(
        self, record: Record, outcome: str
    ) -> None:
        fix = record.open_fix()

        record.outcome(fix, outcome, "too risky before month-end")

        assert columns(record, fix) == {}
        assert record.last_entry().notes == "too risky before month-end"

    def test_words_are_trimmed(self, record: Record) -> None:
        fix = record.open_fix()
        record.outcome(fix, "applied_pending", "  waiting on the client \n")
        assert columns(record, fix) == {"pending_reason": "waiting on the client"}

    def test_4000_characters_fit_and_4001_do_not(self, record: Record) -> None:
        fix = record.open_fix()
        assert record.outcome(fix, "applied_partial", " " + "x" * 4000 + " ").status == 200
        with pytest.raises(ValidationError, match="notes"):
            record.outcome(fix, "applied_partial", "x" * 4001)

    def test_waiting_on_ad_replication_is_still_shown_after_success(self, record: Record) -> None:
        fix = record.open_fix()
        record.outcome(fix, "applied_pending", "waiting on AD replication")

        answer = record.outcome(fix, "applied_success", "replicated")

        assert answer.body["pending_reason"] == "waiting on AD replication"
        assert (answer.body["partial_notes"], answer.body["failure_reason"]) == (None, None)

    def test_every_column_once_written_is_kept_while_the_status_moves_on(self, record: Record) -> None:
        fix = record.open_fix()
        record.outcome(fix, "applied_partial", "two of three printers")
        record.outcome(fix, "applied_pending", "third one at 18:00")
        record.outcome(fix, "applied_failed", "third one has another fault")

        assert columns(record, fix) == {
            "partial_notes": "two of three printers",
            "pending_reason": "third one at 18:00",
            "failure_reason": "third one has another fault",
        }

    @pytest.mark.parametrize(
        ("outcome", "column"), [("applied_pending", COLUMNS[0]), ("applied_partial", COLUMNS[1])]
    )
    def test_new_words_for_a_parked_fix_replace_the_old_ones(
        self, record: Record, outcome: str, column: str
    ) -> None:
        fix = record.open_fix()
        record.outcome(fix, outcome, "until tonight")
        record.outcome(fix, outcome, "until Monday")

        assert columns(record, fix) == {column: "until Monday"}
        assert [entry.notes for entry in record.history(record.session_of(fix).id)[2:]] == [
            "until tonight",
            "until Monday",
        ]

    def test_failed_with_words_leaves_partial_notes_empty(self, record: Record) -> None:
        fix = record.open_fix()
        answer = record.outcome(fix, "applied_failed", "same error")
        assert (answer.body["failure_reason"], answer.body["partial_notes"]) == ("same error", None)

    def test_failed_without_words_leaves_every_column_as_it_was(self, record: Record) -> None:
        fix = record.open_fix()
        record.outcome(fix, "applied_pending", "until tonight")
        record.outcome(fix, "applied_failed")
        assert columns(record, fix) == {"pending_reason": "until tonight"}


class TestStamps:
    @pytest.mark.parametrize("outcome", ["applied_success", "applied_failed"])
    def test_a_verdict_stamps_applied_at_and_verified_at(self, record: Record, outcome: str) -> None:
        fix = record.open_fix()

        answer = record.outcome(fix, outcome)

        assert record.fixes[fix].applied_at == record.fixes[fix].verified_at == record.now
        assert answer.body["applied_at"] == answer.body["verified_at"] is not None

    @pytest.mark.parametrize("outcome", PARKED)
    def test_a_parked_fix_is_applied_and_not_verified(self, record: Record, outcome: str) -> None:
        fix = record.open_fix()

        answer = record.outcome(fix, outcome)

        assert record.fixes[fix].applied_at == record.now
        assert answer.body["verified_at"] is None

    def test_dismissed_stamps_nothing(self, record: Record) -> None:
        fix = record.open_fix()
        answer = record.outcome(fix, "dismissed")
        assert (answer.body["applied_at"], answer.body["verified_at"]) == (None, None)

    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_applied_at_never_moves_once_it_is_stamped(self, record: Record, outcome: str) -> None:
        fix = record.open_fix()
        record.apply(fix)
        applied_at = record.now

        record.outcome(fix, "applied_pending")
        record.outcome(fix, outcome)

        assert record.fixes[fix].applied_at == applied_at < record.now

    def test_dismissing_a_fix_that_was_applied_keeps_when_it_was(self, record: Record) -> None:
        fix = record.open_fix()
        record.apply(fix)
        applied_at = record.now
        record.outcome(fix, "dismissed")
        assert (record.fixes[fix].applied_at, record.fixes[fix].verified_at) == (applied_at, None)

    def test_verified_at_is_when_the_verdict_was_reached_and_not_when_it_was_applied(
        self, record: Record
    ) -> None:
        fix = record.open_fix()
        record.outcome(fix, "applied_pending")
        record.outcome(fix, "applied_success")
        applied_at = record.fixes[fix].applied_at
        assert applied_at is not None
        assert record.fixes[fix].verified_at == applied_at + MINUTE == record.now

    def test_the_clients_clock_stamps_nothing(self, record: Record) -> None:
        fix = record.open_fix()
        record.outcome(fix, "applied_success", issued_at=record.now - 500 * MINUTE)
        assert record.fixes[fix].applied_at == record.fixes[fix].updated_at == record.now


class TestVersions:
    @pytest.mark.parametrize("outcome", OUTCOMES)
    @pytest.mark.parametrize("start", ["proposed", *PARKED])
    def test_an_accepted_outcome_raises_version_and_sequence_by_exactly_one(
        self, record: Record, start: str, outcome: str
    ) -> None:
        fix = record.fix_in(start)
        version, sequence = record.versions(fix)

        answer = record.outcome(fix, outcome)

        assert record.versions(fix) == (version + 1, sequence + 1)
        assert answer.body["state_version"] == version + 1

    @pytest.mark.parametrize("start", FINAL)
    def test_a_refused_outcome_raises_nothing(self, record: Record, start: str) -> None:
        fix = record.fix_in(start)
        before = record.snapshot()
        record.outcome(fix, "applied_success")
        assert record.snapshot() == before

    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_an_accepted_outcome_clears_the_ais_proposal_and_its_event_says_so(
        self, record: Record, outcome: str
    ) -> None:
        fix = record.open_fix()
        record.propose(fix)

        answer = record.outcome(fix, outcome)

        assert record.fixes[fix].ai_outcome_proposal is None
        assert answer.body["ai_outcome_proposal"] is None
        assert record.last_entry().data.model_dump()["cleared_proposal"] is True

    def test_the_event_of_an_outcome_without_a_proposal_says_that_none_was_cleared(
        self, record: Record
    ) -> None:
        fix = record.open_fix()
        record.outcome(fix, "applied_success")
        assert record.last_entry().data.model_dump()["cleared_proposal"] is False
