"""Bodies are read whole, and within bounds, before anything else sees the request."""

import asyncio
from typing import Final

from fastapi import Depends, Request
from shared.contracts.problems import ProblemCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import problems
from gateway.problems import Problem

CLOSE: Final = {"Connection": "close"}

_NOTHING: Final = (b"", b"{}")


class ClientLeft(Exception):
    """Nobody is there any more to answer."""


class Bound:
    """Refuses a body that is too long, whether it says so or not, or that does not arrive.

    The framework would take an error in the middle of a body for its own; so it gets bodies whole, or not at all.
    """

    def __init__(self, app: ASGIApp, *, longest: int, patience_s: float) -> None:
        self._app, self._longest, self._patience_s = app, longest, patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = _announced(scope)
        if length == 0:
            await self._app(scope, receive, send)
            return
        try:
            scope["body"] = body = await self._whole(receive, length)
        except ClientLeft:
            return
        except Problem as problem:
            await problems.of(scope, problem)(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)

    async def _whole(self, receive: Receive, length: int | None) -> bytes:
        if length is not None and length > self._longest:
            raise self._too_long()
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._read(receive)
        except TimeoutError as error:
            detail = f"The body did not arrive within {self._patience_s:g} s"
            raise Problem(ProblemCode.REQUEST_TIMEOUT, detail, headers=CLOSE) from error

    async def _read(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        rest, more = self._longest, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            parts.append(message.get("body", b""))
            rest -= len(parts[-1])
            if rest < 0:
                raise self._too_long()
            more = message.get("more_body", False)
        return b"".join(parts)

    def _too_long(self) -> Problem:
        detail = f"A request may have at most {self._longest} bytes"
        return Problem(ProblemCode.PAYLOAD_TOO_LARGE, detail, headers=CLOSE)


def _announced(scope: Scope) -> int | None:
    """How long the body says it is: 0 where there is none, None where it comes in chunks."""
    length: int | None = 0
    for name, value in scope["headers"] if scope["type"] == "http" else ():
        if name == b"content-length":
            return int(value)
        if name == b"transfer-encoding":
            length = None
    return length


def _again(body: bytes, receive: Receive) -> Receive:
    """Receive the body, then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def _refuse_body(request: Request) -> None:
    if request.scope.get("body", b"").strip() not in _NOTHING:
        raise problems.invalid("this request takes none", where="body")


NO_BODY: Final = Depends(_refuse_body)
"""For routes that read no body: what a client says is refused rather than not heard."""
