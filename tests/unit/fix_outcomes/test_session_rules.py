"""product.md section 3 on the session itself: opened, talked in, closed; and what a closed one still takes."""

from collections.abc import Callable
from uuid import UUID

import pytest
from fix_outcomes_doubles import (
    ACCOUNT,
    SAM,
    Record,
    add_message,
    command,
    confirm_fact,
    create_session,
    suggest_fix,
)
from shared.contracts.answers import Answer
from shared.contracts.commands import Action, EscalateSession, ResolveSession
from unit.fix_outcomes.outcomes import FINAL, OUTCOMES, PARKED


def needed(answer: Answer) -> list[str]:
    return [fix["id"] for fix in answer.body["fixes"]]


class TestOpening:
    def test_a_new_session_is_active_at_version_1_and_sequence_1_under_its_commands_id(
        self, record: Record
    ) -> None:
        opening = command(create_session())

        answer = record.send(opening)

        assert answer.status == 201
        shown = answer.body
        assert (shown["id"], shown["status"]) == (str(opening.command_id), "active")
        assert (shown["state_version"], shown["sequence"]) == (1, 1)
        assert shown["intake_content"] == {"text": "Reception: all PCs offline since 8:40"}
        assert shown["ticket"] == {"system": "halopsa", "id": "48213", "url": "https://psa.example/48213"}
        assert shown["created_by"] == {"id": str(SAM.id), "name": "Sam Okafor"}
        assert record.sessions[opening.command_id].account_id == ACCOUNT

    def test_a_new_session_rests_on_no_version(self, record: Record) -> None:
        answer = record.ask(create_session(), if_match=1)
        assert (answer.status, answer.body["code"]) == (412, "version_conflict")
        assert record.sessions == {}

    @pytest.mark.parametrize("act", [add_message, confirm_fact, suggest_fix])
    def test_a_message_a_fact_and_a_fix_each_raise_version_and_sequence_by_one(
        self, record: Record, act: Callable[[UUID], Action]
    ) -> None:
        session = record.open_session()
        answer = record.ask(act(session))
        assert answer.status == 201
        assert (record.sessions[session].state_version, record.sessions[session].sequence) == (2, 2)

    def test_a_message_and_a_fact_are_shown_as_they_were_said(self, record: Record) -> None:
        session = record.open_session()
        said = record.ask(add_message(session, "Straße 3: läuft wieder")).body
        fact = record.ask(confirm_fact(session, "WAN light is off")).body

        by = {"id": str(SAM.id), "name": "Sam Okafor"}
        assert (said["role"], said["content"], said["author"]) == ("client", "Straße 3: läuft wieder", by)
        assert (fact["text"], fact["visibility"], fact["author"]) == ("WAN light is off", "client", by)


class TestResolving:
    def test_resolving_closes_the_session_and_raises_version_and_sequence_by_one(
        self, record: Record
    ) -> None:
        session = record.open_session()

        answer = record.resolve(session)

        assert (answer.status, answer.body["status"]) == (200, "resolved")
        assert (answer.body["state_version"], answer.body["sequence"]) == (2, 2)

    @pytest.mark.parametrize("status", PARKED)
    def test_resolving_over_a_parked_fix_is_409_naming_it(self, record: Record, status: str) -> None:
        fix = record.fix_in(status)
        before = record.snapshot()

        answer = record.resolve(record.session_of(fix).id)

        assert (answer.status, answer.body["code"]) == (409, "fix_needs_outcome")
        assert needed(answer) == [str(fix)]
        assert record.snapshot() == before

    def test_resolving_over_a_fix_applied_without_a_verdict_is_409_naming_it(self, record: Record) -> None:
        fix = record.open_fix()
        record.apply(fix)

        answer = record.resolve(record.session_of(fix).id)

        assert (answer.status, answer.body["code"]) == (409, "fix_needs_outcome")
        assert needed(answer) == [str(fix)]

    def test_every_fix_that_needs_an_outcome_is_named(self, record: Record) -> None:
        pending = record.fix_in("applied_pending")
        session = record.session_of(pending).id
        partial = record.suggest(session)
        record.outcome(partial, "applied_partial")
        applied = record.suggest(session)
        record.apply(applied)

        assert set(needed(record.resolve(session))) == {str(pending), str(partial), str(applied)}

    @pytest.mark.parametrize("status", ["proposed", *FINAL])
    def test_a_fix_that_was_never_applied_or_is_final_keeps_nobody_from_resolving(
        self, record: Record, status: str
    ) -> None:
        fix = record.fix_in(status)
        before = record.fixes[fix]
        assert record.resolve(record.session_of(fix).id).status == 200
        assert record.fixes[fix] == before

    def test_a_superseded_fix_keeps_nobody_from_resolving(self, record: Record) -> None:
        fix = record.open_fix()
        session = record.session_of(fix).id
        record.apply(fix)
        record.suggest(session)
        assert record.resolve(session).status == 200


class TestEscalating:
    def test_escalating_over_a_fix_applied_without_a_verdict_is_409_naming_it(self, record: Record) -> None:
        parked = record.fix_in("applied_pending")
        session = record.session_of(parked).id
        applied = record.suggest(session)
        record.apply(applied)
        before = record.snapshot()

        answer = record.escalate(session)

        assert (answer.status, answer.body["code"]) == (409, "fix_needs_outcome")
        assert needed(answer) == [str(applied)]
        assert record.snapshot() == before

    @pytest.mark.parametrize("status", PARKED)
    def test_a_parked_fix_goes_along_as_it_is_and_the_event_names_it(
        self, record: Record, status: str
    ) -> None:
        fix = record.fix_in(status)
        before = record.fixes[fix]

        answer = record.escalate(record.session_of(fix).id)

        assert (answer.status, answer.body["status"]) == (200, "escalated")
        assert record.fixes[fix] == before
        assert record.last_entry().data.model_dump()["pending_verification"] == (fix,)

    def test_the_event_names_no_fix_that_is_not_parked(self, record: Record) -> None:
        fix = record.fix_in("applied_failed")
        record.suggest(record.session_of(fix).id)
        record.escalate(record.session_of(fix).id)
        assert record.last_entry().data.model_dump()["pending_verification"] == ()

    @pytest.mark.parametrize("status", PARKED)
    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_outcomes_on_a_parked_fix_are_accepted_after_an_escalation(
        self, record: Record, status: str, outcome: str
    ) -> None:
        fix = record.fix_in(status)
        record.escalate(record.session_of(fix).id)
        version, sequence = record.versions(fix)

        answer = record.outcome(fix, outcome)

        assert (answer.status, answer.body["status"]) == (200, outcome)
        assert record.versions(fix) == (version + 1, sequence + 1)
        assert record.session_of(fix).status == "escalated"

    @pytest.mark.parametrize("outcome", FINAL)
    def test_a_parked_fix_of_an_escalated_session_takes_one_final_outcome_and_no_second(
        self, record: Record, outcome: str
    ) -> None:
        fix = record.fix_in("applied_pending")
        record.escalate(record.session_of(fix).id)
        winner = record.outcome(fix, outcome)

        loser = record.outcome(fix, "applied_success")

        assert (loser.status, loser.body["current"]) == (409, winner.body)
        assert winner.body["allowed_outcomes"] == []

    def test_a_parked_fix_of_an_escalated_session_says_that_every_outcome_is_allowed(
        self, record: Record
    ) -> None:
        fix = record.fix_in("applied_pending")
        record.escalate(record.session_of(fix).id)
        assert set(record.outcome(fix, "applied_partial").body["allowed_outcomes"]) == set(OUTCOMES)


@pytest.mark.parametrize("closing", ["resolve", "escalate"])
class TestClosed:
    """Every change on a closed session but an outcome on a parked fix of an escalated one is `session_closed`."""

    @pytest.fixture
    def closed(self, record: Record, closing: str) -> UUID:
        session = record.open_session()
        assert getattr(record, closing)(session).status == 200
        return session

    @pytest.mark.parametrize(
        "act",
        [
            add_message,
            confirm_fact,
            suggest_fix,
            lambda session: ResolveSession(session_id=session),
            lambda session: EscalateSession(session_id=session),
        ],
    )
    def test_a_change_of_the_session_is_409_and_shows_it(
        self, record: Record, closed: UUID, act: Callable[[UUID], Action]
    ) -> None:
        before = record.snapshot()

        answer = record.ask(act(closed))

        assert (answer.status, answer.body["code"]) == (409, "session_closed")
        assert answer.body["current"]["id"] == str(closed)
        assert answer.body["current"]["status"] != "active"
        assert record.snapshot() == before

    @pytest.mark.parametrize("change", ["apply", "propose", "clear", *OUTCOMES])
    def test_a_change_of_a_proposed_fix_is_409_and_shows_it(
        self, record: Record, closing: str, change: str
    ) -> None:
        fix = record.open_fix()
        record.propose(fix)
        getattr(record, closing)(record.session_of(fix).id)
        before = record.snapshot()

        act = getattr(record, change, None)
        answer = act(fix) if act else record.outcome(fix, change)

        assert (answer.status, answer.body["code"]) == (409, "session_closed")
        assert answer.body["current"]["id"] == str(fix)
        assert answer.body["current"]["allowed_outcomes"] == []
        assert record.snapshot() == before

    @pytest.mark.parametrize("status", FINAL)
    @pytest.mark.parametrize("change", ["apply", "propose", "applied_success"])
    def test_a_change_of_a_final_fix_is_409_and_shows_it(
        self, record: Record, closing: str, status: str, change: str
    ) -> None:
        fix = record.fix_in(status)
        getattr(record, closing)(record.session_of(fix).id)
        before = record.snapshot()

        act = getattr(record, change, None)
        answer = act(fix) if act else record.outcome(fix, change)

        assert answer.status == 409
        assert answer.body["current"]["id"] == str(fix)
        assert record.snapshot() == before


@pytest.mark.parametrize("change", ["propose", "clear", "apply"])
@pytest.mark.parametrize("status", PARKED)
def test_only_outcomes_are_accepted_on_a_parked_fix_of_an_escalated_session(
    record: Record, status: str, change: str
) -> None:
    fix = record.fix_in(status)
    record.propose(fix)
    record.escalate(record.session_of(fix).id)
    before = record.snapshot()

    answer = getattr(record, change)(fix)

    assert answer.status == 409
    assert record.snapshot() == before
