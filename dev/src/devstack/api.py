"""Talks to the gateway as a well-behaved client does: deadlines, one Idempotency-Key per change, 202, 429 and 503."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

MAX_CONNECTIONS = 8
ANSWER_WITHIN = httpx.Timeout(10, pool=60)
PREVIEW_WITHIN = httpx.Timeout(65, pool=60)
PATIENCE = 45.0
MIN_PAUSE, MAX_PAUSE = 0.2, 10.0
DECIDED_WITHIN = 90.0
TRY_LATER = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)


class GaveUpError(Exception):
    """The gateway did not answer usefully within all deadlines and retries."""


@dataclass(frozen=True)
class Call:
    """One request. `label` is what the timing table calls it."""

    label: str
    method: str
    path: str
    token: str
    body: Mapping[str, Any] | None = None

    @property
    def is_preview(self) -> bool:
        """A preview may wait for an LLM, and changes nothing."""
        return self.path.endswith("/preview")


@dataclass(frozen=True)
class Answer:
    """How the gateway decided: of a queued command, what became of it."""

    status: int
    body: Mapping[str, Any]

    @property
    def accepted(self) -> bool:
        return httpx.codes.is_success(self.status)


@dataclass
class Api:
    """The calls of the demo, over one connection pool. `tell` hears why a call takes longer than usual."""

    http: httpx.AsyncClient
    tell: Callable[[str], None]
    seconds: dict[str, list[float]] = field(default_factory=dict)

    async def send(self, call: Call) -> Answer:
        """Return the decision on `call`; a repeat carries the same key, so it changes nothing twice.

        Raises GaveUpError.
        """
        started = time.perf_counter()
        answer = await self._decision(call, await self._reply(call, key=str(uuid4())))
        self.seconds.setdefault(call.label, []).append(time.perf_counter() - started)
        return answer

    async def _reply(self, call: Call, *, key: str) -> httpx.Response:
        reason = ""
        patient_until = time.monotonic() + PATIENCE
        while time.monotonic() < patient_until:
            try:
                response = await self._request(call, key)
            except httpx.TransportError as error:
                reason, pause = type(error).__name__, 1.0
            else:
                if response.status_code not in TRY_LATER:
                    return response
                reason, pause = str(response.status_code), _retry_after(response)
            self.tell(f"{call.method} {call.path}: {reason}, again in {pause:g} s")
            await asyncio.sleep(pause)
        raise GaveUpError(f"{call.method} {call.path}: still {reason} after {PATIENCE:g} s")

    async def _request(self, call: Call, key: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {call.token}"}
        if call.method != "GET" and not call.is_preview:
            headers["Idempotency-Key"] = key
        within = PREVIEW_WITHIN if call.is_preview else ANSWER_WITHIN
        return await self.http.request(
            call.method, call.path, json=call.body, headers=headers, timeout=within
        )

    async def _decision(self, call: Call, response: httpx.Response) -> Answer:
        if response.status_code != httpx.codes.ACCEPTED:
            return Answer(response.status_code, _json(response))
        address = response.url.join(response.headers.get("Location", "missing:"))
        if (address.scheme, address.netloc) != (response.url.scheme, response.url.netloc):
            raise GaveUpError(f"{call.path}: queued, but no token is sent to the Location {address}")
        self.tell(f"{call.method} {call.path}: 202, queued; following {address.path}")
        try:
            async with asyncio.timeout(DECIDED_WITHIN):
                return await self._outcome_of(Call(call.label, "GET", str(address), call.token))
        except TimeoutError as error:
            raise GaveUpError(f"{call.path}: queued, and not decided in {DECIDED_WITHIN:g} s") from error

    async def _outcome_of(self, question: Call) -> Answer:
        pause = 0.1
        while True:
            response = await self._reply(question, key="")
            operation = _json(response)
            if response.status_code != httpx.codes.OK:
                raise GaveUpError(f"{question.path}: {response.status_code} {operation.get('code', '')}")
            if operation.get("parked"):
                raise GaveUpError(f"{question.path}: an operator must look at this command")
            if operation.get("status") != "pending":
                return Answer(operation["http_status"], operation["answer"])
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 2.0)


def _retry_after(response: httpx.Response) -> float:
    seconds = response.headers.get("Retry-After", "")
    return max(MIN_PAUSE, min(float(seconds), MAX_PAUSE)) if seconds.isdecimal() else 1.0


def _json(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError as error:
        raise GaveUpError(f"{response.url.path}: {response.status_code} without JSON") from error
    return body if isinstance(body, dict) else {"items": body}
