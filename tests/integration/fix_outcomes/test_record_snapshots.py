"""What notes are written from, and the events that a stream resumes with."""

from typing import Any

from fix_outcomes.storage import outbox, rows
from fix_outcomes.storage.database import connect, raw
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message, confirm_fact, outcome_of, proposal, suggest_fix
from integration.fix_outcomes.questions import see
from places import Database
from shared.contracts.commands import ApplyFix, ClearProposal, EscalateSession, ProposeOutcome
from shared.contracts.events import DATA, CloudEvent, name_of
from shared.contracts.queries import GetSnapshot, ListEvents
from shared.contracts.views import Snapshot


class TestSnapshot:
    async def test_it_holds_everything_but_the_ais_guesses(self, desk: Desk) -> None:
        session = await desk.open_session()
        fix = await desk.suggest(session)
        await desk.send(
            desk.command(add_message(session, "still down")),
            desk.command(confirm_fact(session, "WAN light off")),
            desk.command(ProposeOutcome(session_id=session, fix_id=fix, proposal=proposal())),
            desk.command(ClearProposal(session_id=session, fix_id=fix)),
            desk.command(ProposeOutcome(session_id=session, fix_id=fix, proposal=proposal())),
            desk.command(ApplyFix(session_id=session, fix_id=fix)),
            desk.command(outcome_of(session, fix, "applied_pending", "until tonight")),
            desk.command(ProposeOutcome(session_id=session, fix_id=fix, proposal=proposal())),
            desk.command(EscalateSession(session_id=session)),
        )

        body = await see(desk, GetSnapshot(session_id=session))

        snapshot = Snapshot.model_validate(body)
        assert snapshot.session.status == "escalated"
        assert [each.content for each in snapshot.messages] == ["still down"]
        assert [each.text for each in snapshot.facts] == ["WAN light off"]
        assert [each.kind for each in snapshot.transitions] == [
            "fix.suggested",
            "fix.applied",
            "fix.outcome_recorded",
            "session.escalated",
        ]
        assert [each.ai_outcome_proposal for each in snapshot.fixes] == [None]
        assert "internet is back" not in str(body)

    async def test_it_is_bounded_to_the_newest_oldest_first_and_counts_the_messages(self, desk: Desk) -> None:
        session = await desk.open_session()
        for start in range(0, 260, 130):
            await desk.send(*(desk.command(add_message(session, str(n))) for n in range(start, start + 130)))
        for start in range(0, 520, 130):
            await desk.send(*(desk.command(confirm_fact(session, str(n))) for n in range(start, start + 130)))
        fixes = 520
        for _ in range(0, fixes, 130):
            await desk.send(*(desk.command(suggest_fix(session)) for _ in range(130)))

        snapshot = Snapshot.model_validate(await see(desk, GetSnapshot(session_id=session)))

        assert snapshot.message_count == 260
        assert [int(each.content) for each in snapshot.messages] == list(range(60, 260))
        assert [int(each.text) for each in snapshot.facts] == list(range(20, 520))
        sequences = [each.sequence for each in snapshot.transitions]
        assert sequences == list(range(snapshot.session.sequence - 499, snapshot.session.sequence + 1))
        assert snapshot.session.state_version == 1 + 260 + 520 + 520


class TestEvents:
    async def test_they_are_what_the_relay_publishes_to_the_byte(
        self, desk: Desk, owner: Any, database: Database
    ) -> None:
        session = await desk.open_session()
        fix = await desk.suggest(session)
        await desk.ask(outcome_of(session, fix, "applied_pending", "bis 18 Uhr ✓"))
        await desk.ask(outcome_of(session, fix, "applied_success"))

        body = await see(desk, ListEvents(session_id=session))

        engine = connect(database.relay_url, name="relay", connections=1)
        async with raw(engine) as relay:
            waiting = await outbox.unpublished(relay, limit=100_000)
        await engine.dispose()
        assert body["items"] == [rows.event(row) for row in waiting if row["session_id"] == session]
        assert [name_of(item["type"]) for item in body["items"]] == [
            "session.created",
            "fix.suggested",
            "fix.outcome_recorded",
            "fix.outcome_recorded",
        ]
        for item in body["items"]:
            event = CloudEvent.model_validate(item)
            DATA[name_of(event.type)].model_validate(event.data)
            assert (event.data["session_id"], event.data["account_id"]) == (str(session), str(desk.account))

    async def test_they_resume_after_any_sequence_without_a_gap(self, desk: Desk) -> None:
        session = await desk.open_session()
        await desk.send(*(desk.command(add_message(session)) for _ in range(4)))
        for seen in range(6):
            body = await see(desk, ListEvents(session_id=session, cursor=seen))
            assert [int(item["sequence"]) for item in body["items"]] == list(range(seen + 1, 6))
