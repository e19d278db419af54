"""A PSA tool's view: a queue of its own on `rf.events` gets every event of its account, and nothing else."""

import asyncio

from devstack.stack import Stack
from e2e.client import Person, own_words
from e2e.listening import subscribed
from patience import eventually
from shared.contracts.events import CONTENT_TYPE, DATA, CloudEvent, type_of


async def test_every_kind_of_change_is_told_as_a_valid_cloudevent(
    engineer: Person, program: Person, stack: Stack
) -> None:
    async with subscribed(stack.servers.amqp_url, engineer.account_id) as tool:
        first = await engineer.suggested_fix()
        fix = await engineer.suggest(first.session_id)
        await engineer.say(fix.session_id, "Which lamp is on?")
        await engineer.confirm(fix.session_id)
        await engineer.apply(fix)
        await program.propose(fix)
        await engineer.clear_proposal(fix)
        await program.propose(fix)
        await engineer.record(fix, "applied_pending", "until noon")
        await engineer.escalate(fix.session_id)
        resolved = await engineer.open_session()
        await engineer.resolve(resolved)
        await eventually(lambda: len(tool.changes()) >= 13)
        told = tool.changes()
    assert {each.name for each in told} == set(DATA) - {"note.regenerated"}
    for each in told:
        event = CloudEvent.model_validate(each.event)
        DATA[each.name].model_validate(event.data)
        session_id = event.data["session_id"]
        assert each.content_type == CONTENT_TYPE
        assert each.message_id == event.id
        assert event.type == type_of(each.name)
        assert event.source == f"/accounts/{engineer.account_id}/ai-sessions/{session_id}"
        assert each.routing_key == f"{engineer.account_id}.{session_id}.{each.name}"
        if each.name.startswith("fix."):
            assert event.subject == f"suggested-fixes/{event.data['fix_id']}"
    suggested = [each.event["data"] for each in told if each.name == "fix.suggested"]
    assert [each["supersedes"] for each in suggested] == [[], [str(first.id)]]
    [recorded] = [each.event["data"] for each in told if each.name == "fix.outcome_recorded"]
    assert (recorded["from"], recorded["to"]) == ("proposed", "applied_pending")
    assert (recorded["pending_reason"], recorded["cleared_proposal"]) == ("until noon", True)
    [escalated] = [each.event["data"] for each in told if each.name == "session.escalated"]
    assert escalated["pending_verification"] == [str(fix.id)]


async def test_events_come_in_order_within_each_session_and_agree_with_its_history(
    engineer: Person, colleague: Person, stack: Stack
) -> None:
    async with subscribed(stack.servers.amqp_url, engineer.account_id) as tool:
        fixes = [await engineer.suggested_fix() for _ in range(4)]
        await asyncio.gather(
            *(
                person.record(fix, "applied_partial", f"step {number}")
                for number in range(5)
                for fix in fixes
                for person in (engineer, colleague)
            )
        )
        await eventually(lambda: len(tool.changes()) >= 48)
        for fix in fixes:
            assert tool.sequences(fix.session_id) == list(range(1, 13))
            own = [each for each in tool.changes() if f".{fix.session_id}." in each.routing_key]
            told = {each.sequence: each.event["data"] for each in own}
            for entry in await engineer.history(fix.session_id):
                assert told[entry.sequence].get("notes") == entry.notes
                assert told[entry.sequence]["command_id"] == str(entry.command_id)


async def test_nothing_of_another_account_is_told(engineer: Person, stranger: Person, stack: Stack) -> None:
    mine, theirs = own_words(), own_words()
    async with (
        subscribed(stack.servers.amqp_url, engineer.account_id) as tool,
        subscribed(stack.servers.amqp_url, stranger.account_id) as other,
    ):
        for _ in range(5):
            await engineer.record(await engineer.suggested_fix(), "applied_failed", mine)
            await stranger.record(await stranger.suggested_fix(), "applied_failed", theirs)
        await eventually(lambda: len(tool.changes()) >= 15 and len(other.changes()) >= 15)
    for listener, person, foreign in ((tool, engineer, theirs), (other, stranger, mine)):
        assert len(listener.changes()) == 15
        for each in listener.got:
            assert each.routing_key.startswith(f"{person.account_id}.")
            assert each.event["data"]["account_id"] == str(person.account_id)
            assert foreign not in str(each.event)


async def test_a_refused_change_is_not_told(engineer: Person, stack: Stack) -> None:
    async with subscribed(stack.servers.amqp_url, engineer.account_id) as tool:
        fix = (await engineer.record(await engineer.suggested_fix(), "applied_success")).fix
        await engineer.record(fix, "dismissed")
        await engineer.apply(fix)
        await engineer.clear_proposal(fix)
        await engineer.confirm(fix.session_id)
        await eventually(lambda: len(tool.changes()) >= 4)
    told = [each.name for each in tool.changes()]
    assert told == ["session.created", "fix.suggested", "fix.outcome_recorded", "session.fact_confirmed"]


async def test_a_written_note_is_told_without_a_sequence(engineer: Person, stack: Stack) -> None:
    async with subscribed(stack.servers.amqp_url, engineer.account_id) as tool:
        session_id = await engineer.open_session()
        await engineer.preview(session_id)
        told = await eventually(lambda: [each for each in tool.got if each.name == "note.regenerated"])
    assert told[0].event["id"] == f"{session_id}/resolution_note/1"
    assert "sequence" not in told[0].event
    assert told[0].message_id == told[0].event["id"]
