"""Waiting for what comes by itself: asked again until it is there, never slept for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar, overload

Found = TypeVar("Found")

POLL_S = 0.03


@overload
async def eventually(look: Callable[[], Awaitable[Found | None]], *, within_s: float = 20) -> Found: ...
@overload
async def eventually(look: Callable[[], Found | None], *, within_s: float = 20) -> Found: ...
async def eventually(look: Callable[[], object], *, within_s: float = 20) -> object:
    """What `look` finds, as soon as it finds something; AssertionError if that takes too long."""
    now = asyncio.get_running_loop().time
    deadline = now() + within_s
    while True:
        found = look()
        if isawaitable(found):
            found = await found
        if found:
            return found
        assert now() < deadline, f"not within {within_s:g} s"
        await asyncio.sleep(POLL_S)


def eventually_without_a_loop(look: Callable[[], Found | None], *, within_s: float = 20) -> Found:
    """The same for tests that are no coroutines."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        time.sleep(POLL_S)
    return found
