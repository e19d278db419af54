"""Lists, cursors, and what the framework itself refuses."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from gateway.app import drain
from shared.contracts.queries import ListMessages, ListSessions
from shared.courier import NotSent, Unanswered
from unit.gateway.gateway_doubles import SESSION, Bench, answer

ONE = f"/api/v1/ai-sessions/{SESSION}"


async def test_a_cursor_is_opaque_to_clients_and_comes_back_as_it_was(bench: Bench) -> None:
    bench.queries.answer = lambda query: answer(query.ref, items=[], next_cursor=41)
    cursor = (await bench.send("GET", f"{ONE}/messages")).json()["next_cursor"]
    assert isinstance(cursor, str)
    assert "41" not in cursor
    await bench.send("GET", f"{ONE}/messages", params={"cursor": cursor, "limit": 7})
    assert bench.queries.asked[1].question == ListMessages(session_id=SESSION, cursor=41, limit=7)


async def test_the_cursor_of_sessions_is_a_session(bench: Bench) -> None:
    bench.queries.answer = lambda query: answer(query.ref, items=[], next_cursor=str(SESSION))
    cursor = (await bench.send("GET", "/api/v1/ai-sessions")).json()["next_cursor"]
    await bench.send("GET", "/api/v1/ai-sessions", params={"cursor": cursor, "status": "active"})
    question = bench.queries.asked[1].question
    assert isinstance(question, ListSessions)
    assert (question.cursor, question.status) == (UUID(str(SESSION)), "active")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/messages", "cursor=nonsense!"),
        ("/messages", "cursor=%00"),
        ("/messages", "cursor=LTE"),
        ("/messages", "limit=0"),
        ("/messages", "limit=201"),
        ("/messages", "limit=many"),
        ("/events", None),
    ],
)
async def test_a_query_that_makes_no_sense_is_422(bench: Bench, path: str, query: str | None) -> None:
    headers = {} if query else {"Last-Event-ID": "-1"}
    reply = await bench.send("GET", f"{ONE}{path}?{query or ''}", headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")
    assert not bench.queries.asked


@pytest.mark.parametrize("error", [NotSent, Unanswered])
async def test_a_read_without_an_answer_is_503(bench: Bench, error: type[Exception]) -> None:
    def away(_: Any) -> Any:
        raise error

    bench.queries.answer = away
    reply = await bench.send("GET", ONE)
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
    assert reply.headers["Retry-After"]


async def test_a_session_comes_with_its_version_as_etag(bench: Bench) -> None:
    assert (await bench.send("GET", ONE)).headers["ETag"] == '"8"'


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("DELETE", ONE, 405, "method_not_allowed"),
        ("GET", "/api/v1/ai-sessions/1", 422, "invalid"),
    ],
)
async def test_the_frameworks_refusals_are_problems_too(
    bench: Bench, method: str, path: str, status: int, code: str
) -> None:
    reply = await bench.send(method, path)
    problem = reply.json()
    assert (reply.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert reply.headers["Content-Type"] == "application/problem+json"


async def test_what_goes_wrong_inside_is_told_to_nobody(bench: Bench) -> None:
    def broken(_: Any) -> Any:
        raise KeyError("select * from secrets")

    bench.queries.answer = broken
    reply = await bench.send("GET", ONE)
    assert (reply.status_code, reply.json()["code"]) == (500, "internal")
    assert "secrets" not in reply.text


async def test_answers_may_not_be_stored_or_sniffed(bench: Bench) -> None:
    for path in (ONE, "/api/v1/nothing", "/healthz"):
        headers = (await bench.send("GET", path)).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_metrics_name_routes_and_never_ids(bench: Bench) -> None:
    await bench.send("GET", ONE)
    await bench.send("BREW", f"{ONE}/tea")
    numbers = (await bench.send("GET", "/metrics")).text
    assert 'route="/api/v1/ai-sessions/{session_id}",status="200"' in numbers
    assert str(SESSION) not in numbers
    assert "BREW" not in numbers


async def test_a_gateway_without_a_broker_is_alive_but_not_ready(bench: Bench) -> None:
    alive, ready = await bench.send("GET", "/healthz"), await bench.send("GET", "/readyz")
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert ready.json()["checks"]["commands"] is False


async def test_a_gateway_that_drains_is_not_ready_and_serves_on() -> None:
    bench = Bench(drain_s=30)
    assert (await bench.send("GET", "/readyz")).json()["checks"]["serving"] is True
    draining = asyncio.create_task(drain(bench.app))
    await asyncio.sleep(0)
    ready, served = await bench.send("GET", "/readyz"), await bench.send("GET", ONE)
    assert (ready.status_code, ready.json()["checks"]["serving"], served.status_code) == (503, False, 200)
    assert not draining.done()
    draining.cancel()
