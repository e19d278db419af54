"""What is answered about sessions, fixes, operations and what awaits verification."""

from typing import Any

from fix_outcomes import handlers
from fix_outcomes.storage.commands import Named
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message, create_session, outcome_of
from integration.fix_outcomes.questions import look, pages, see
from shared.contracts.commands import EscalateSession
from shared.contracts.queries import (
    GetActiveFix,
    GetFix,
    GetOperation,
    GetSession,
    ListFixes,
    ListPendingVerifications,
    ListSessions,
)
from shared.contracts.views import Fix, SessionWithFixes
from shared.ids import new_id


class TestAnswers:
    async def test_a_session_is_shown_with_all_its_fixes_oldest_first(self, desk: Desk) -> None:
        session = await desk.open_session()
        fixes = [await desk.suggest(session) for _ in range(4)]

        body = await see(desk, GetSession(session_id=session))

        shown = SessionWithFixes.model_validate(body)
        assert [fix.id for fix in shown.fixes] == fixes
        assert (shown.state_version, shown.sequence) == (5, 5)
        assert {fix.state_version for fix in shown.fixes} == {5}
        listed = await see(desk, ListFixes(session_id=session))
        assert (listed["items"], listed["next_cursor"]) == (body["fixes"], None)

    async def test_reading_shows_what_the_change_was_answered_with(self, desk: Desk) -> None:
        session = await desk.open_session()
        fix = await desk.suggest(session)
        recorded = await desk.ask(outcome_of(session, fix, "applied_pending", "bis 18 Uhr ✓"))
        assert await see(desk, GetFix(session_id=session, fix_id=fix)) == recorded.body
        assert Fix.model_validate(recorded.body).pending_reason == "bis 18 Uhr ✓"

    async def test_the_active_fix_is_the_newest_that_is_neither_superseded_nor_final(
        self, desk: Desk
    ) -> None:
        session = await desk.open_session()
        assert (await look(desk, GetActiveFix(session_id=session)))[0].status == 404
        parked = await desk.suggest(session)
        await desk.ask(outcome_of(session, parked, "applied_pending", "until tonight"))
        superseded, newest = await desk.suggest(session), await desk.suggest(session)

        assert (await see(desk, GetActiveFix(session_id=session)))["id"] == str(newest) != str(superseded)
        await desk.ask(outcome_of(session, newest, "dismissed"))
        assert (await see(desk, GetActiveFix(session_id=session)))["id"] == str(parked)
        await desk.ask(outcome_of(session, parked, "applied_success"))
        assert (await look(desk, GetActiveFix(session_id=session)))[0].status == 404

    async def test_an_operation_says_what_was_answered(self, desk: Desk) -> None:
        accepted, refused = desk.command(create_session()), desk.command(add_message(new_id()))
        first, second = await desk.send(accepted, refused)

        assert await see(desk, GetOperation(command_id=accepted.command_id)) == {
            "state": "succeeded",
            "http_status": 201,
            "answer": first.body,
            "accepted_at": accepted.issued_at.isoformat(),
        }
        rejected = await see(desk, GetOperation(command_id=refused.command_id))
        assert (rejected["state"], rejected["http_status"], rejected["answer"]) == (
            "rejected",
            404,
            second.body,
        )

    async def test_an_operation_under_a_key_that_another_request_has_used_is_rejected(
        self, desk: Desk
    ) -> None:
        asked = desk.command(create_session())
        await desk.send(asked)
        own, another = [
            await see(desk, GetOperation(command_id=asked.command_id, fingerprint=fingerprint))
            for fingerprint in (asked.fingerprint, "another")
        ]
        assert (own["state"], own["http_status"]) == ("succeeded", 201)
        assert (another["state"], another["http_status"]) == ("rejected", 422)
        assert another["answer"]["code"] == "idempotency_key_reused"

    async def test_an_operation_says_that_an_operator_must_look_until_it_is_decided(self, desk: Desk) -> None:
        asked = desk.command(create_session())
        named = Named(asked.command_id, asked.account_id)
        for reason in ("it failed", "it failed again"):
            await handlers.remember_parked([named], reason, engine=desk.engine, clock=lambda: asked.issued_at)
        assert await see(desk, GetOperation(command_id=asked.command_id)) == {"state": "parked"}
        await desk.send(asked)
        assert (await see(desk, GetOperation(command_id=asked.command_id)))["state"] == "succeeded"

    async def test_an_operation_whose_answer_is_forgotten_has_succeeded_for_ever_whatever_its_repeat_is_told(
        self, desk: Desk, owner: Any
    ) -> None:
        session = await desk.open_session()
        fix = await desk.suggest(session)
        asked = desk.command(outcome_of(session, fix, "applied_success"))
        await desk.send(asked)
        await owner.execute("delete from command_log where command_id = $1", asked.command_id)
        assert await see(desk, GetOperation(command_id=asked.command_id)) == {"state": "succeeded"}

        [again] = await desk.send(asked)

        assert (again.status, again.body["code"]) == (422, "idempotency_key_reused")
        assert await see(desk, GetOperation(command_id=asked.command_id)) == {"state": "succeeded"}

    async def test_an_operation_of_another_account_is_not_found_though_it_is_in_the_journal(
        self, desk: Desk, other_desk: Desk, owner: Any
    ) -> None:
        asked = desk.command(create_session())
        await desk.send(asked)
        await owner.execute("delete from command_log where command_id = $1", asked.command_id)
        assert (await look(other_desk, GetOperation(command_id=asked.command_id)))[0].status == 404

    async def test_every_question_of_a_batch_is_answered_for_itself(self, desk: Desk) -> None:
        session = await desk.open_session()
        answers = await look(
            desk, GetSession(session_id=new_id()), GetSession(session_id=session), ListSessions()
        )
        assert [(answer.ref, answer.status) for answer in answers] == [(0, 404), (1, 200), (2, 200)]

    async def test_what_awaits_verification_is_listed_longest_waiting_first(self, desk: Desk) -> None:
        waiting = []
        for _ in range(3):
            session = await desk.open_session()
            fix = await desk.suggest(session)
            await desk.ask(outcome_of(session, fix, "applied_pending", "until tonight"))
            waiting.append((session, fix))
        await desk.ask(outcome_of(*waiting[0], "applied_pending", "until Monday"))
        await desk.ask(outcome_of(*waiting[1], "applied_success"))
        await desk.ask(EscalateSession(session_id=waiting[2][0]))

        found = await pages(desk, ListPendingVerifications(limit=1))

        shown = [item for page in found for item in page]
        assert [item["fix"]["id"] for item in shown] == [str(waiting[0][1]), str(waiting[2][1])]
        assert [item["reason"] for item in shown] == ["until Monday", "until tonight"]
