"""What an orchestrator asks: alive, ready, and the numbers. Plain ASGI, so any kind of app can mount it."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]
"""What this service needs, by name, and whether it has it."""

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Endpoint = Callable[[Message, Receive, Send], Awaitable[None]]


def routes(
    readiness: Readiness, *, registry: CollectorRegistry = REGISTRY
) -> tuple[tuple[str, Endpoint], ...]:
    """`/healthz` (the process answers), `/readyz` (503 and what is missing, if anything is), `/metrics`."""

    async def healthz(_scope: Message, _receive: Receive, send: Send) -> None:
        await _answer(send, 200, _json({"status": "ok"}))

    async def readyz(_scope: Message, _receive: Receive, send: Send) -> None:
        checks = dict(await readiness())
        ready = all(checks.values())
        body = {"status": "ready" if ready else "not ready", "checks": checks}
        await _answer(send, 200 if ready else 503, _json(body))

    async def metrics(_scope: Message, _receive: Receive, send: Send) -> None:
        await _answer(send, 200, generate_latest(registry), CONTENT_TYPE_LATEST)

    return ("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)


def _json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body).encode()


async def _answer(send: Send, status: int, body: bytes, content_type: str = "application/json") -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
