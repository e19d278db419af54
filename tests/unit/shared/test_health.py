"""What an orchestrator asks, asked over HTTP of the plain ASGI endpoints."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from shared import health


def client(checks: Mapping[str, bool], registry: CollectorRegistry | None = None) -> httpx.AsyncClient:
    """The three endpoints as an application."""

    async def readiness() -> Mapping[str, bool]:
        return checks

    endpoints = dict(health.routes(readiness, registry=registry or CollectorRegistry()))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await endpoints[scope["path"]](scope, receive, send)

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service.example")


async def test_a_process_that_answers_is_alive_whatever_it_lacks() -> None:
    async with client({"database": False}) as http:
        answer = await http.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_service_with_all_it_needs_is_ready() -> None:
    async with client({"database": True, "broker": True}) as http:
        answer = await http.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"database": True, "broker": True}}


@pytest.mark.parametrize("missing", ["database", "broker"])
async def test_a_service_that_lacks_something_says_what(missing: str) -> None:
    checks = {"database": True, "broker": True} | {missing: False}
    async with client(checks) as http:
        answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "checks": checks}


async def test_readiness_is_asked_anew_each_time() -> None:
    checks = {"broker": False}
    async with client(checks) as http:
        before = await http.get("/readyz")
        checks["broker"] = True
        after = await http.get("/readyz")
    assert (before.status_code, after.status_code) == (503, 200)
    assert {before.headers["cache-control"], after.headers["cache-control"]} == {"no-store"}


async def test_the_numbers_are_prometheus_text() -> None:
    registry = CollectorRegistry()
    Counter("rf_trials", "Trials", registry=registry).inc(3)
    async with client({}, registry) as http:
        answer = await http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "rf_trials_total 3.0" in answer.text.splitlines()
