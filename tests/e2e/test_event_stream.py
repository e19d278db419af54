"""What a browser sees on the event stream of a session: everything, once, in order."""

import asyncio
from uuid import UUID

import httpx
import pytest
from devstack.stack import Stack
from e2e.client import Person
from e2e.listening import watching
from http_client import http_client
from patience import eventually
from shared.contracts.events import DATA, CloudEvent


async def test_the_state_comes_first_then_every_change_with_its_sequence(
    engineer: Person, program: Person
) -> None:
    fix = await engineer.suggested_fix()
    async with watching(engineer, fix.session_id) as stream:
        first = await stream.next()
        assert (first.event, first.id) == ("state", 2)
        assert first.data["session"] == (await engineer.session(fix.session_id)).model_dump(mode="json")
        assert first.data["notes"] == {}
        await engineer.apply(fix)
        await program.propose(fix)
        await engineer.record(fix, "applied_pending", "until noon")
        came = [await stream.next() for _ in range(3)]
    assert [(each.event, each.id) for each in came] == [
        ("fix.applied", 3),
        ("fix.outcome_proposed", 4),
        ("fix.outcome_recorded", 5),
    ]
    assert came[2].data["data"]["pending_reason"] == "until noon"
    for each in came:
        event = CloudEvent.model_validate(each.data)
        DATA[each.event].model_validate(event.data)


@pytest.mark.parametrize("known", [0, 1, 3, 6])
async def test_last_event_id_resumes_without_a_gap_and_without_repeats(engineer: Person, known: int) -> None:
    session_id = await engineer.open_session()
    for number in range(5):
        await engineer.confirm(session_id, f"fact {number}")
    async with watching(engineer, session_id, after=known) as stream:
        assert (await stream.next()).event == "state"
        await engineer.confirm(session_id, "one more")
        assert await stream.until_sequence(7) == list(range(known + 1, 8))


async def test_a_viewer_that_comes_and_goes_misses_nothing_and_sees_nothing_twice(
    engineer: Person,
) -> None:
    session_id = await engineer.open_session()

    async def work() -> None:
        for number in range(30):
            (await engineer.confirm(session_id, f"fact {number}")).good()

    working, came = asyncio.create_task(work()), [1]
    while came[-1] < 31:
        async with watching(engineer, session_id, after=came[-1]) as stream:
            came += await stream.until_sequence(min(came[-1] + 4, 31))
    await working
    assert came == list(range(1, 32))


async def test_a_regenerated_note_is_told_without_an_id(engineer: Person) -> None:
    session_id = await engineer.open_session()
    async with watching(engineer, session_id) as stream:
        told = [await stream.until("note.regenerated") for _ in range(2)]
    assert [each.id for each in told] == [None, None]
    assert {each.data["data"]["kind"] for each in told} == {"resolution_note", "escalation_package"}
    for each in told:
        data = each.data["data"]
        assert each.data["id"] == f"{session_id}/{data['kind']}/{data['state_version']}"
    async with watching(engineer, session_id) as stream:
        notes = (await stream.next()).data["notes"]
    assert notes == {"resolution_note": 1, "escalation_package": 1}


async def test_a_viewer_of_another_account_gets_404(engineer: Person, stranger: Person) -> None:
    session_id = await engineer.open_session()
    async with watching(stranger, session_id) as stream:
        assert (stream.answer.status, stream.answer.code) == (404, "not_found")


async def test_who_may_only_read_may_watch(engineer: Person, viewer: Person) -> None:
    session_id = await engineer.open_session()
    async with watching(viewer, session_id) as stream:
        assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
        assert (await stream.next()).event == "state"
        await engineer.confirm(session_id)
        assert (await stream.next()).event == "session.fact_confirmed"


async def test_a_stream_shows_its_own_session_only(engineer: Person, stranger: Person) -> None:
    session_id = await engineer.open_session()
    async with watching(engineer, session_id) as stream:
        await stream.next()
        await engineer.confirm(await engineer.open_session())
        await stranger.confirm(await stranger.open_session())
        await engineer.confirm(session_id)
        came = await stream.next()
    assert UUID(came.data["data"]["session_id"]) == session_id


@pytest.mark.parametrize("bad", ["-1", "x", "1.5"])
async def test_a_last_event_id_that_is_no_sequence_is_422(engineer: Person, bad: str) -> None:
    session_id = await engineer.open_session()
    path = f"/api/v1/ai-sessions/{session_id}/events"
    assert (await engineer.get(path, headers={"Last-Event-ID": bad})).status == 422


async def test_a_lost_connection_to_the_broker_loses_a_viewer_nothing(engineer: Person, stack: Stack) -> None:
    session_id = await engineer.open_session()
    gateway = stack.gateway_urls[0]
    async with _management(stack) as broker, watching(engineer, session_id, gateway=gateway) as stream:
        await stream.next()
        came: list[int] = []
        for closed in range(2):
            await _close_the_updates_of(broker, "gateway")
            for number in range(5):
                (await engineer.confirm(session_id, f"fact {closed} {number}")).good()
            came += await stream.until_sequence(1 + 5 * (closed + 1))
    assert came == list(range(2, 12))


def _management(stack: Stack) -> httpx.AsyncClient:
    url = httpx.URL(stack.servers.rabbitmq_api_url)
    login = (url.username, url.password)
    return http_client(base_url=url.copy_with(userinfo=b""), auth=login)


async def _close_the_updates_of(broker: httpx.AsyncClient, replica: str) -> None:
    """Close the connection by which this gateway hears of events, once the broker lists it."""

    async def found() -> str | None:
        for each in (await broker.get("/api/connections")).json():
            if each.get("client_properties", {}).get("connection_name") == f"gateway {replica} updates":
                return str(each["name"])
        return None

    name = await eventually(found)
    (await broker.delete(f"/api/connections/{name}")).raise_for_status()

    async def gone() -> bool:
        return await found() != name

    await eventually(gone)
