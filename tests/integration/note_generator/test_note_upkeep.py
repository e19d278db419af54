"""State changes become notes: once per quiet period, for the newest version, and nothing is lost on the way."""

import asyncio
import json

import pytest
from note_generator_doubles import ACCOUNT, Surroundings, fresh_story, outages, until
from patience import eventually
from redis.asyncio import Redis
from shared.contracts import topology
from shared.contracts.cache import note_key
from shared.contracts.events import StateChange, StateChanges
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.note_stories import Story

BOTH = {str(kind) for kind in NoteKind}
REASON = "Waiting on AD replication to Leeds, next cycle 14:00"
QUEUE = topology.NOTE_GENERATOR_STATE_CHANGES
SOON_S = 0.4


async def stored(around: Surroundings, story: Story, kind: NoteKind) -> dict[str, str]:
    async with Redis.from_url(around.redis_url, decode_responses=True) as redis:
        entry = await redis.hgetall(note_key(ACCOUNT, story.session_id, kind))
    return {str(name): str(value) for name, value in entry.items()}


async def test_a_change_leaves_both_documents_ready_and_announced(around: Surroundings) -> None:
    story = fresh_story().suggest("Open RPC").record("Open RPC", "applied_pending", REASON)
    around.tell(story)
    async with around.running():
        await around.changed(story)
        await until(lambda: len(around.announced(story)) == 2)
    assert await around.ready(QUEUE.name) == 0
    assert {kind for kind, _ in around.announced(story)} == BOTH
    for kind in NoteKind:
        entry = await stored(around, story, kind)
        note = json.loads(entry["d"])
        assert int(entry["v"]) == note["state_version"] == story.version
        assert REASON in note["markdown"]
        assert note["generator"] == "template"
        assert not note["degraded"]
    event = around.events[-1]
    assert event["id"] == f"{story.session_id}/{event['data']['kind']}/{story.version}"
    assert "sequence" not in event


async def test_a_burst_costs_one_snapshot_and_one_generation(around: Surroundings) -> None:
    story, later = fresh_story(), fresh_story()
    around.tell(story)
    around.tell(later)
    async with around.running():
        before = around.snapshots_asked
        for number in range(10):
            story.say("engineer", f"step {number}")
            await around.changed(story)
        await until(lambda: len(around.announced(story)) == 2)
        await around.changed(later)
        await until(lambda: len(around.announced(later)) == 2)
    assert {version for _, version in around.announced(story)} == {story.version}
    assert around.snapshots_asked - before == 2  # one for each session


async def test_a_session_that_never_rests_is_written_all_the_same(around: Surroundings) -> None:
    story = fresh_story()
    around.tell(story)

    async def goes_on() -> list[tuple[str, int]]:
        story.say("client", "and another thing")
        await around.changed(story)
        return around.announced(story)

    async with around.running(quiet_s=0.2, max_wait_s=0.4):
        await eventually(goes_on, within_s=5)
        await until(lambda: max(version for _, version in around.announced(story)) == story.version)


async def test_a_delivery_is_kept_until_all_of_its_sessions_are_done(around: Surroundings) -> None:
    done, stuck = fresh_story(), fresh_story()
    around.tell(done)
    acknowledged: list[str] = []

    async def note(name: str) -> None:
        if name == "before ack":
            acknowledged.append(name)

    async with around.running(checkpoint=note, snapshot_s=SOON_S):
        around.tell(stuck)
        around.silent.add(stuck.session_id)
        await around.changed(done, stuck)
        await until(lambda: len(around.announced(done)) == 2)
        assert acknowledged == []
        around.silent.clear()
        await until(lambda: acknowledged)
    assert len(around.announced(stuck)) == 2
    assert await around.ready(QUEUE.name) == 0


async def test_a_newer_delivery_frees_the_older_one(around: Surroundings) -> None:
    story = fresh_story()
    around.tell(story)
    acknowledged: list[str] = []

    async def note(name: str) -> None:
        if name == "before ack":
            acknowledged.append(name)

    async with around.running(checkpoint=note, quiet_s=30, max_wait_s=30):
        for _ in range(5):
            await around.changed(story)
        await until(lambda: len(acknowledged) == 4)
    assert await around.ready(QUEUE.name) == 1
    async with around.running():
        await until(lambda: len(around.announced(story)) == 2)


async def test_what_was_not_acknowledged_is_handled_by_the_next_one(around: Surroundings) -> None:
    story = fresh_story()
    around.tell(story)
    reached = asyncio.Event()

    async def stop_here(name: str) -> None:
        if name == "after store before announce":
            reached.set()
            await asyncio.Event().wait()

    async with around.running(checkpoint=stop_here, shutdown_s=SOON_S):
        await around.changed(story)
        await reached.wait()
    assert around.announced(story) == []
    async with around.running():
        await until(lambda: {kind for kind, _ in around.announced(story)} == BOTH)
    assert await around.ready(QUEUE.name) == 0


async def test_an_outage_of_the_record_is_waited_out(around: Surroundings) -> None:
    story = fresh_story()
    around.tell(story)
    around.refuse_with = 503
    before = outages("RecordAway")
    async with around.running(snapshot_s=SOON_S):
        await around.changed(story)
        await until(lambda: outages("RecordAway") > before)
        around.refuse_with, refused = 0, outages("RecordAway")  # no answer at all
        await until(lambda: outages("RecordAway") > refused)
        assert around.announced(story) == []
        around.refuse_with = None
        await until(lambda: len(around.announced(story)) == 2, within_s=15)
    assert await around.ready(QUEUE.name) == await around.ready(QUEUE.parked) == 0


async def test_a_session_that_nobody_knows_is_done(around: Surroundings) -> None:
    story = fresh_story()
    async with around.running():
        await around.changed(story)
        await until(lambda: around.snapshots_asked > 0)
    assert around.announced(story) == []


async def test_another_accounts_change_reads_nothing(around: Surroundings) -> None:
    story = fresh_story()
    around.tell(story)
    async with around.running():
        await around.changed(story, account=story.session_id)
        await until(lambda: around.snapshots_asked > 0)
    assert around.announced(story) == []


@pytest.mark.parametrize("body", [b"{not json", b'{"version": 2, "changes": []}', b"\x00" * 100])
async def test_a_malformed_message_is_parked_with_its_reason(around: Surroundings, body: bytes) -> None:
    good = fresh_story()
    around.tell(good)
    async with around.running():
        await around.publish(body, headers={"traceparent": "00-aa-bb-01"})
        await around.changed(good)
        await until(lambda: len(around.announced(good)) == 2)
        await until(lambda: around.ready(QUEUE.parked))
    message = await around.parked()
    assert message is not None
    assert message.body == body
    assert message.headers["reason"] == "malformed"
    assert message.headers["attempts"] == 1
    assert message.headers["traceparent"] == "00-aa-bb-01"


async def test_a_session_that_cannot_be_written_climbs_the_ladder_alone(around: Surroundings) -> None:
    bad, good = fresh_story(), fresh_story()
    around.tell(good)
    around.tell(bad)
    around.unreadable.add(bad.session_id)
    async with around.running():
        await around.changed(bad, good)
        await until(lambda: len(around.announced(good)) == 2)
        await until(lambda: around.ready(QUEUE.wait(1)))
        around.unreadable.clear()
        await until(lambda: len(around.announced(bad)) == 2)
    assert await around.ready(QUEUE.name) == await around.ready(QUEUE.parked) == 0


async def test_after_the_last_step_of_the_ladder_a_session_is_parked(around: Surroundings) -> None:
    bad = fresh_story()
    around.tell(bad)
    around.unreadable.add(bad.session_id)
    change = StateChange(account_id=ACCOUNT, session_id=bad.session_id, state_version=0)
    body = StateChanges(changes=(change,)).model_dump_json().encode()
    async with around.running():
        await around.publish(body, headers={"attempts": 3, "traceparent": "00-aa-bb-01"})
        await until(lambda: around.ready(QUEUE.parked))
    assert await around.ready(QUEUE.name) == 0
    message = await around.parked()
    assert message is not None
    assert message.body == body
    wanted = {"reason": "ValidationError", "attempts": 4, "traceparent": "00-aa-bb-01"}
    assert wanted.items() <= message.headers.items()
