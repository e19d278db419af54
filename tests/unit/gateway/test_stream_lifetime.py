"""How long a viewer's stream lasts, who gets one, and that nothing is left of it."""

import asyncio
from datetime import UTC, datetime

import pytest
from unit.gateway.gateway_doubles import Bench, answer
from unit.gateway.streams import EVENTS, Journal, change, watching


async def test_a_stream_stays_open_while_nobody_can_be_asked(
    bench: Bench, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stream._PAUSE_S", 0.01)
    async with watching(bench) as watcher:
        await watcher.next()
        journal.away, journal.sequence = True, 5
        watcher.tell(change(5))
        assert "comment" in await watcher.next()
        journal.away = False
        while (event := await watcher.next()).get("id") is None:
            pass
        assert event["id"] == 4


async def test_silence_is_broken_by_comments() -> None:
    bench = Bench(sse_heartbeat_s=0.01)
    Journal(bench, sequence=3)
    async with watching(bench) as watcher:
        await watcher.next()
        assert "comment" in await watcher.next()


async def test_a_stream_ends_when_the_token_does(bench: Bench, journal: Journal) -> None:
    async with watching(bench, exp=datetime.now(UTC).timestamp() + 1) as watcher:
        await watcher.next()
        await asyncio.wait_for(watcher.ended.wait(), 3)


async def test_a_stream_ends_when_the_gateway_does(bench: Bench, journal: Journal) -> None:
    async with watching(bench) as watcher:
        await watcher.next()
        bench.app.state.parts.updates.end()
        await asyncio.wait_for(watcher.ended.wait(), 1)
        assert (await bench.send("GET", EVENTS)).status_code == 503
    assert (await bench.send("GET", "/readyz")).json()["checks"]["serving"] is False


async def test_a_viewer_that_leaves_leaves_nothing_behind(bench: Bench, journal: Journal) -> None:
    updates = bench.app.state.parts.updates
    async with watching(bench) as watcher:
        await watcher.next()
        assert updates.viewers == 1
    assert updates.viewers == 0
    assert updates._viewers == {}


async def test_a_viewer_that_reads_nothing_is_let_go() -> None:
    bench = Bench(sse_send_timeout_s=0.05)
    Journal(bench, sequence=3)
    async with watching(bench) as watcher:
        await watcher.next()
        watcher.stalled.clear()
        watcher.tell(change(4))
        await asyncio.wait_for(watcher.gone.wait(), 3)
        assert bench.app.state.parts.updates.viewers == 0


async def test_only_so_many_may_watch() -> None:
    bench = Bench(sse_viewers=1)
    Journal(bench, sequence=3)
    async with watching(bench) as watcher:
        await watcher.next()
        reply = await bench.send("GET", EVENTS)
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")


async def test_a_session_that_is_not_there_is_a_problem_and_no_stream(bench: Bench) -> None:
    bench.queries.answer = lambda query: answer(query.ref, 404, code="not_found", detail="Not here")
    reply = await bench.send("GET", EVENTS)
    assert (reply.status_code, reply.headers["Content-Type"]) == (404, "application/problem+json")
    assert bench.app.state.parts.updates.viewers == 0
