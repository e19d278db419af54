"""A viewer sees the state, then every change once and in order, whatever is lost, repeated or late on the way."""

import asyncio

import orjson
import pytest
from gateway.updates import Update, Viewer
from shared.contracts.events import routing_key
from shared.contracts.views import Note
from shared.contracts.vocabulary import NoteKind
from unit.gateway.gateway_doubles import ACCOUNT, SESSION, Bench, settings, written
from unit.gateway.streams import Journal, change, note, watching


async def test_a_fresh_stream_begins_with_the_state_and_its_sequence(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        state = await watcher.next()
    assert (state["event"], state["id"]) == ("state", 3)
    assert state["data"]["session"]["sequence"] == 3
    assert state["data"]["notes"] == {}


async def test_an_empty_last_event_id_is_none(bench: Bench, journal: Journal) -> None:
    async with watching(bench, last_event_id="") as watcher:
        assert await watcher.ids(1) == [3]


async def test_the_state_names_the_notes_that_are_ready(bench: Bench, journal: Journal) -> None:
    bench.notes.held[NoteKind.RESOLUTION_NOTE] = Note.model_validate(written(state_version=3))
    async with watching(bench) as watcher:
        state = await watcher.next()
        watcher.tell(note(3))
        watcher.tell(note(4))
        told = await watcher.next()
    assert state["data"]["notes"] == {"resolution_note": 3}
    assert told["data"]["data"]["state_version"] == 4


async def test_changes_follow_with_their_sequence_as_id(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        watcher.tell(change(4))
        event = await watcher.next()
    assert (event["id"], event["event"], event["data"]) == (4, "fix.applied", change(4))


async def test_a_resumed_stream_gets_what_it_missed(bench: Bench, journal: Journal) -> None:
    journal.page = 2
    async with watching(bench, last_event_id=0) as watcher:
        state = await watcher.next()
        assert (state["event"], state["id"]) == ("state", None)
        assert await watcher.ids(3) == [1, 2, 3]


async def test_a_stream_that_resumes_from_the_future_goes_on_from_now(bench: Bench, journal: Journal) -> None:
    async with watching(bench, last_event_id=99) as watcher:
        await watcher.next()
        watcher.tell(change(4))
        assert await watcher.ids(1) == [4]


async def test_repeats_and_late_events_are_dropped(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        for sequence in (2, 4, 4, 3, 5):
            watcher.tell(change(sequence))
        assert await watcher.ids(2) == [4, 5]


async def test_a_gap_is_filled_from_the_journal(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        journal.sequence = 6
        watcher.tell(change(6))
        assert await watcher.ids(3) == [4, 5, 6]


async def test_an_update_whose_past_the_journal_lost_is_dropped_after_a_few_questions_and_the_state_told_again(
    bench: Bench, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stream._PAUSE_S", 0.01)
    bench.queries.before_answering = lambda: asyncio.sleep(0)
    async with watching(bench) as watcher:
        await watcher.next()
        watcher.tell(change(6))
        told = [await watcher.next() for _ in range(5)]
        assert [event.get("event", "comment") for event in told] == ["comment"] * 4 + ["state"]
        assert len(journal.read) == 4
        watcher.tell(change(4))
        assert await watcher.ids(1) == [4]


async def test_a_gap_that_the_journal_fills_a_little_later_loses_nothing(
    bench: Bench, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stream._PAUSE_S", 0.01)
    async with watching(bench) as watcher:
        await watcher.next()
        watcher.tell(change(6))
        assert "comment" in await watcher.next()
        journal.sequence = 5
        while (event := await watcher.next()).get("id") is None:
            pass
        assert [event["id"], *await watcher.ids(2)] == [4, 5, 6]


async def test_a_note_has_no_id_and_is_told_once(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        for event in (note(8), note(8), note(7), change(4)):
            watcher.tell(event)
        told = [await watcher.next() for _ in range(2)]
    assert [(event["event"], event["id"]) for event in told] == [
        ("note.regenerated", None),
        ("fix.applied", 4),
    ]


async def test_a_viewer_that_was_too_slow_catches_up_and_is_told_the_state_again() -> None:
    bench = Bench(sse_buffer=4)
    journal = Journal(bench, sequence=3)
    async with watching(bench) as watcher:
        await watcher.next()
        watcher.stalled.clear()
        journal.sequence = 23
        for sequence in range(4, 24):
            watcher.tell(change(sequence))
            await asyncio.sleep(0)
        watcher.stalled.set()
        assert await watcher.ids(20) == list(range(4, 24))
        assert (await watcher.next())["event"] == "state"


async def test_events_of_another_account_reach_nobody(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        foreign = f"{SESSION}.{SESSION}.fix.applied"
        bench.app.state.parts.updates.deliver(foreign, orjson.dumps(change(4)))
        watcher.tell(change(4) | {"data": {"ours": True}})
        assert (await watcher.next())["data"]["data"] == {"ours": True}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"type": 7}', b"\xff"])
async def test_an_event_that_cannot_be_read_harms_no_stream(
    bench: Bench, journal: Journal, body: bytes
) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        bench.app.state.parts.updates.deliver(routing_key(ACCOUNT, SESSION, "fix.applied"), body)
        watcher.tell(change(4))
        assert await watcher.ids(1) == [4]


def test_a_viewer_holds_no_more_than_its_buffer() -> None:
    viewer = Viewer(buffer=settings().sse_buffer)
    for sequence in range(settings().sse_buffer + 1):
        viewer.offer(Update.of(change(sequence)))
    assert viewer.take() == ()
    assert not viewer.caught_up()


async def test_a_viewer_that_falls_behind_while_it_catches_up_is_woken_for_it() -> None:
    viewer = Viewer(buffer=1)
    viewer.fall_behind()
    assert not viewer.caught_up()
    viewer.fall_behind()
    assert viewer.take() == ()
    assert await viewer.wait(0.01)
    assert not viewer.caught_up()
    assert viewer.take() == ()
    assert not await viewer.wait(0.01)
