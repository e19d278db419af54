"""Every note that is stored, as Redis tells it: what is overwritten a moment later was there for all to read, too."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError
from shared.contracts.cache import VERSION_FIELD

PREFIX: Final = "rf:note:"

_STORED: Final = re.compile(rf"HSET ({PREFIX}\S+) {VERSION_FIELD} (\d+) ", re.IGNORECASE)
_GONE: Final = re.compile(rf"(?:DEL|UNLINK) ({PREFIX}\S+)$", re.IGNORECASE)
_EMPTIED: Final = re.compile("FLUSH(?:ALL|DB)", re.IGNORECASE)
_PAUSE_S: Final = 0.1
_CONNECTED_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Stored:
    """From now on this is the version of a note that readers find; 0 where nothing may be left of it."""

    key: str
    version: int

    @property
    def account(self) -> str:
        """Whose note it is."""
        return self.key.split(":")[2]


class Watch:
    """Listens to Redis for as long as a stack runs, and comes back when Redis does.

    By MONITOR, which shows what scripts do, in order, and says nothing of what Redis throws away for want of memory.
    """

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.stored: list[Stored] = []

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._stay())
        async with asyncio.timeout(_CONNECTED_S):
            await self._listening.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _stay(self) -> None:
        while True:
            with suppress(RedisError, OSError):
                await self._listen()
            await asyncio.sleep(_PAUSE_S)

    async def _listen(self) -> None:
        async with (
            Redis.from_url(self._url, decode_responses=True, socket_timeout=None) as redis,
            redis.monitor() as monitor,
        ):
            self._forget()  # another server, for all we know
            self._listening.set()
            async for told in monitor.listen():
                self.hear(told["command"])

    def hear(self, command: str) -> None:
        """A command with its arguments, as Redis executed it."""
        if stored := _STORED.match(command):
            self.stored.append(Stored(stored[1], int(stored[2])))
        elif gone := _GONE.match(command):
            self.stored.append(Stored(gone[1], 0))
        elif _EMPTIED.match(command):
            self._forget()

    def _forget(self) -> None:
        self.stored += [Stored(key, 0) for key in {each.key: None for each in self.stored}]
