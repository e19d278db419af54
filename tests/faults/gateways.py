"""The way to the gateways: the next where one refuses the connection, as a balancer would do it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, Self

import httpx

from faults.history import Request, Result

PATIENCE_S: Final = 9.0
"""Longer than any deadline of the gateway: a request that takes this long has broken one (L4)."""

SILENT_S: Final = 30.0
"""Longer than a gateway lets a stream be without a sign of life."""


class Gateways:
    """Sends requests over HTTP."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._clients = [httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False) for url in urls]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(client.aclose() for client in self._clients))

    async def send(self, request: Request, token: str) -> Result:
        """What came of it."""
        headers = _signed(request, token)
        failure = "no gateway"
        for client in self._in_turn(request):
            try:
                async with asyncio.timeout(PATIENCE_S):
                    reply = await client.request(
                        request.method, request.path, json=request.body, headers=headers
                    )
                return read(reply)
            except httpx.ConnectError as error:
                failure = type(error).__name__  # no byte of it was sent: the next gateway may have it
            except (httpx.HTTPError, TimeoutError) as error:
                return Result(status=None, failure=type(error).__name__)
        return Result(status=None, failure=failure)

    @asynccontextmanager
    async def stream(self, request: Request, token: str) -> AsyncIterator[httpx.Response]:
        """The answer as soon as it has begun; what it holds comes while inside. Raises HTTPError, TimeoutError."""
        headers = _signed(request, token)
        async with AsyncExitStack() as stack:
            yield await self._opened(request, headers, stack)

    async def _opened(
        self, request: Request, headers: dict[str, str], stack: AsyncExitStack
    ) -> httpx.Response:
        refused = httpx.ConnectError("no gateway")
        for client in self._in_turn(request):
            opening = client.stream(
                request.method,
                request.path,
                headers=headers,
                timeout=httpx.Timeout(PATIENCE_S, read=SILENT_S),
            )
            try:
                async with asyncio.timeout(PATIENCE_S):
                    return await stack.enter_async_context(opening)
            except httpx.ConnectError as error:
                refused = error
        raise refused

    def _in_turn(self, request: Request) -> tuple[httpx.AsyncClient, ...]:
        first = request.number % len(self._clients)
        return (*self._clients[first:], *self._clients[:first])


def _signed(request: Request, token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **headers_of(request)}


def headers_of(request: Request) -> dict[str, str]:
    """The headers that say how the change is to be made."""
    headers: dict[str, str] = {}
    if request.key is not None:
        headers["Idempotency-Key"] = request.key
    if request.if_match is not None:
        headers["If-Match"] = f'"{request.if_match}"'
    if request.at_once:
        headers["Prefer"] = "respond-async"
    if request.after is not None:
        headers["Last-Event-ID"] = str(request.after)
    return headers


def read(reply: httpx.Response) -> Result:
    """An answer whose content is there."""
    try:
        answer = reply.json() if reply.content else None
    except ValueError:
        answer = {"not JSON": reply.text[:200]}
    return Result(
        status=reply.status_code,
        answer=answer,
        replayed=reply.headers.get("idempotency-replayed") == "true",
        retry_after=reply.headers.get("retry-after"),
        location=reply.headers.get("location") if reply.status_code == httpx.codes.ACCEPTED else None,
    )
