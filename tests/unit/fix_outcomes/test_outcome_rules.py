"""product.md section 3, sentence by sentence: what may happen to a fix, and what it leaves behind."""

import pytest
from fix_outcomes_doubles import MINUTE, Record, proposal, suggest_fix
from pydantic import ValidationError
from shared.contracts.commands import RecordOutcome
from shared.contracts.views import OutcomeProposal

OUTCOMES = ("applied_pending", "applied_partial", "applied_success", "applied_failed", "dismissed")
FINAL = ("applied_success", "applied_failed", "dismissed")
PARKED = ("applied_pending", "applied_partial")
COLUMNS = ("pending_reason", "partial_notes", "failure_reason")


@pytest.fixture
def record() -> Record:
    return Record()


def columns(record: Record, fix: object) -> dict[str, str | None]:
    """The columns with notes that are not empty."""
    row = record.fixes[fix]  # type: ignore[index]
    return {name: getattr(row, name) for name in COLUMNS if getattr(row, name) is not None}


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
        assert record.fixes[fix].verified_at == record.fixes[fix].applied_at + MINUTE == record.now

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


class TestApply:
    def test_applying_stamps_applied_at_leaves_proposed_and_raises_the_version_by_one(
        self, record: Record
    ) -> None:
        fix = record.open_fix()
        version, sequence = record.versions(fix)

        answer = record.apply(fix)

        assert (answer.status, answer.body["status"]) == (200, "proposed")
        assert record.fixes[fix].applied_at == record.now
        assert record.fixes[fix].verified_at is None
        assert record.versions(fix) == (version + 1, sequence + 1)

    def test_applying_again_is_200_and_changes_nothing(self, record: Record) -> None:
        fix = record.open_fix()
        first = record.apply(fix)
        before = record.snapshot()

        second = record.apply(fix)

        assert (second.status, second.body) == (200, first.body)
        assert record.snapshot() == before

    @pytest.mark.parametrize("status", OUTCOMES)
    def test_applying_a_fix_that_has_an_outcome_is_409(self, record: Record, status: str) -> None:
        fix = record.fix_in(status)
        before = record.snapshot()

        answer = record.apply(fix)

        assert (answer.status, answer.body["code"]) == (409, "not_proposed")
        assert answer.body["current"]["status"] == status
        assert record.snapshot() == before

    def test_applying_a_superseded_fix_is_409(self, record: Record) -> None:
        fix = record.open_fix()
        record.suggest(record.session_of(fix).id)

        answer = record.apply(fix)

        assert (answer.status, answer.body["code"]) == (409, "fix_superseded")
        assert record.fixes[fix].applied_at is None

    def test_applying_again_is_200_also_after_a_newer_suggestion(self, record: Record) -> None:
        fix = record.open_fix()
        record.apply(fix)
        record.suggest(record.session_of(fix).id)
        before = record.snapshot()

        assert record.apply(fix).status == 200
        assert record.snapshot() == before

    def test_applying_leaves_the_ais_proposal(self, record: Record) -> None:
        fix = record.open_fix()
        record.propose(fix)
        assert record.apply(fix).body["ai_outcome_proposal"] is not None


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


class TestSuperseding:
    def test_a_new_suggestion_supersedes_an_older_one_that_is_still_proposed(self, record: Record) -> None:
        older = record.open_fix()
        newer = record.suggest(record.session_of(older).id)

        assert record.fixes[older].superseded_at == record.now
        assert record.fixes[older].status == "proposed"
        assert record.fixes[newer].superseded_at is None
        assert record.last_entry().data.model_dump()["supersedes"] == (older,)

    def test_it_supersedes_one_that_was_applied_without_a_verdict_too(self, record: Record) -> None:
        older = record.open_fix()
        record.apply(older)
        record.suggest(record.session_of(older).id)
        assert record.fixes[older].superseded_at == record.now

    @pytest.mark.parametrize("status", OUTCOMES)
    def test_a_fix_with_an_outcome_is_never_superseded(self, record: Record, status: str) -> None:
        older = record.fix_in(status)
        before = record.fixes[older]

        record.suggest(record.session_of(older).id)

        assert record.fixes[older] == before
        assert record.last_entry().data.model_dump()["supersedes"] == ()

    @pytest.mark.parametrize("status", PARKED)
    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_a_parked_fix_stays_answerable_under_a_newer_suggestion(
        self, record: Record, status: str, outcome: str
    ) -> None:
        older = record.fix_in(status)
        record.suggest(record.session_of(older).id)
        assert record.outcome(older, outcome).status == 200

    def test_when_a_fix_was_superseded_never_moves(self, record: Record) -> None:
        oldest = record.open_fix()
        session = record.session_of(oldest).id
        record.suggest(session)
        superseded_at = record.now
        newest = record.suggest(session)

        assert record.fixes[oldest].superseded_at == superseded_at
        assert [each.id for each in record.fixes.values() if not each.superseded] == [newest]

    @pytest.mark.parametrize("outcome", OUTCOMES)
    @pytest.mark.parametrize("applied", [False, True])
    def test_an_outcome_on_a_superseded_fix_is_409_and_shows_it(
        self, record: Record, outcome: str, applied: bool
    ) -> None:
        older = record.open_fix()
        if applied:
            record.apply(older)
        record.suggest(record.session_of(older).id)
        before = record.snapshot()

        answer = record.outcome(older, outcome)

        assert (answer.status, answer.body["code"]) == (409, "fix_superseded")
        assert answer.body["current"]["id"] == str(older)
        assert answer.body["current"]["superseded_at"]
        assert record.snapshot() == before

    def test_a_suggestion_raises_version_and_sequence_by_one_whatever_it_supersedes(
        self, record: Record
    ) -> None:
        older = record.open_fix()
        version, sequence = record.versions(older)

        answer = record.ask(suggest_fix(record.session_of(older).id))

        assert answer.status == 201
        assert record.versions(older) == (version + 1, sequence + 1)


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
