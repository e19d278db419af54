"""product.md section 3: what applying a fix does, and which suggestion replaces which."""

import pytest
from fix_outcomes_doubles import Record, suggest_fix
from unit.fix_outcomes.outcomes import OUTCOMES, PARKED


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
