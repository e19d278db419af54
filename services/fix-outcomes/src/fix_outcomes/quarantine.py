"""A message that a worker may have died of is handled last and alone, so that its neighbours do not share its fate.

When a worker dies, the broker counts a delivery of everything that it had in hand. Without this the neighbours of a
deadly message would reach the delivery limit with it.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from faststream.rabbit import RabbitMessage

SUSPICIOUS: Final = 3
"""Deliveries that failed, from which a message is suspected."""

_GRACE_S: Final = 0.2, 0.5
_LONGEST_WAIT_S: Final = 0.5

Handle = Callable[[RabbitMessage], Awaitable[None]]


class Quarantine:
    """Lets messages through together, and suspicious ones one by one."""

    def __init__(self) -> None:
        self._in_hand = 0
        self._idle, self._open = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._open.set()
        self._one_by_one = asyncio.Lock()

    def guard(self, handle: Handle) -> Handle:
        """The same handler, acknowledgement included, in quarantine where that is called for."""

        async def guarded(message: RabbitMessage) -> None:
            async with self._apart() if deliveries_of(message) >= SUSPICIOUS else self._together():
                await handle(message)

        return guarded

    @asynccontextmanager
    async def _together(self) -> AsyncIterator[None]:
        await self._open.wait()
        self._in_hand += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()

    @asynccontextmanager
    async def _apart(self) -> AsyncIterator[None]:
        """Those that came along go first; where there are always others, they are held up in the end.

        Of several suspects another is first in each life: the deadly one does not always come before the innocent.
        """
        await asyncio.sleep(random.uniform(*_GRACE_S))  # noqa: S311 - an order, not a secret
        async with self._one_by_one:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LONGEST_WAIT_S):
                    await self._idle.wait()
            self._open.clear()
            try:
                await self._idle.wait()
                yield
            finally:
                self._open.set()


def deliveries_of(message: RabbitMessage) -> int:
    """How often this message was delivered before, as the broker counted."""
    count = message.raw_message.headers.get("x-delivery-count", 0)
    return count if isinstance(count, int) else 0
