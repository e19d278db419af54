"""How a session ends, and what it takes when it has."""

import pytest
from e2e.client import Person

PARKED = (("applied_pending", "replicating"), ("applied_partial", "half of it"))


async def test_a_session_is_resolved_once_its_fix_has_a_verdict(engineer: Person) -> None:
    fix = (await engineer.record(await engineer.applied_fix(), "applied_success")).fix
    resolved = (await engineer.resolve(fix.session_id)).session
    assert (resolved.status, resolved.state_version) == ("resolved", fix.state_version + 1)


async def test_a_fix_without_a_verdict_keeps_the_session_from_being_closed(engineer: Person) -> None:
    fix = await engineer.applied_fix()
    for refused in (await engineer.resolve(fix.session_id), await engineer.escalate(fix.session_id)):
        assert (refused.status, refused.code) == (409, "fix_needs_outcome")
        assert [each["id"] for each in refused.body["fixes"]] == [str(fix.id)]
    assert (await engineer.session(fix.session_id)).status == "active"


@pytest.mark.parametrize(("outcome", "notes"), PARKED)
async def test_a_parked_fix_is_never_resolved_silently(engineer: Person, outcome: str, notes: str) -> None:
    fix = (await engineer.record(await engineer.suggested_fix(), outcome, notes)).fix
    refused = await engineer.resolve(fix.session_id)
    assert (refused.status, refused.code) == (409, "fix_needs_outcome")
    assert await engineer.fix(fix) == fix


@pytest.mark.parametrize(("outcome", "notes"), PARKED)
async def test_a_parked_fix_goes_along_with_an_escalation_and_stays_answerable(
    engineer: Person, outcome: str, notes: str
) -> None:
    fix = (await engineer.record(await engineer.suggested_fix(), outcome, notes)).fix
    assert (await engineer.escalate(fix.session_id)).session.status == "escalated"
    assert (await engineer.record(fix, "applied_success")).fix.status == "applied_success"
    assert (await engineer.confirm(fix.session_id)).code == "session_closed"


async def test_a_fix_that_nobody_applied_does_not_keep_a_session_open(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    assert (await engineer.resolve(fix.session_id)).session.status == "resolved"


async def test_a_closed_session_takes_no_change(engineer: Person, program: Person) -> None:
    fix = await engineer.suggested_fix()
    version = (await engineer.resolve(fix.session_id)).session.state_version
    for refused in (
        await engineer.confirm(fix.session_id),
        await engineer.say(fix.session_id, "hello?"),
        await engineer.record(fix, "applied_success"),
        await engineer.apply(fix),
        await program.propose(fix),
        await engineer.resolve(fix.session_id),
        await engineer.escalate(fix.session_id),
    ):
        assert (refused.status, refused.code) == (409, "session_closed"), refused
    assert await engineer.version(fix.session_id) == version


async def test_messages_and_facts_raise_the_version_and_name_their_author(engineer: Person) -> None:
    session_id = await engineer.open_session()
    before = await engineer.version(session_id)
    message = (await engineer.say(session_id, "Which lamp is on?")).message
    fact = (await engineer.confirm(session_id, "The line has sync")).fact
    assert (message.author.name, message.role) == ("Ada", "engineer")
    assert (fact.author.name, fact.visibility) == ("Ada", "client")
    assert await engineer.version(session_id) == before + 2


async def test_the_history_tells_every_change_who_when_and_what(engineer: Person, colleague: Person) -> None:
    fix = await engineer.suggested_fix()
    await colleague.apply(fix)
    await colleague.record(fix, "applied_pending", "until the client power-cycles")
    told = await engineer.history(fix.session_id)
    assert [each.sequence for each in told] == [1, 2, 3, 4]
    assert [each.state_version for each in told] == [1, 2, 3, 4]
    assert [each.kind for each in told] == [
        "session.created",
        "fix.suggested",
        "fix.applied",
        "fix.outcome_recorded",
    ]
    assert [each.actor.name for each in told] == ["Ada", "Ada", "Grace", "Grace"]
    assert (told[3].from_, told[3].to, told[3].fix_id) == ("proposed", "applied_pending", fix.id)
    assert [each.at for each in told] == sorted(each.at for each in told)
