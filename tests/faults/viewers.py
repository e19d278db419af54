"""Who watches: for every account, browsers that follow its sessions, and go on where they were cut off."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

import httpx

from faults.client import SESSIONS
from faults.gateways import Gateways, read
from faults.history import Left, Request, Result, Seen
from faults.injector import NotInTime, until
from faults.recorder import Recorder
from faults.streams import Frame, frames
from faults.tenants import Account, Token

EACH: Final = 2
"""Viewers of an account: of the hot session, and of the next."""

_AGAIN_S: Final = 0.3
_CAUGHT_UP_S: Final = 15.0


@dataclass(slots=True)
class Viewer:
    """One browser, and the last id that it saw."""

    name: str
    account: Account
    token: str
    number: int
    last: int | None = None

    @property
    def session(self) -> str | None:
        """What it follows, as soon as there is one."""
        sessions = self.account.sessions
        return sessions[self.number] if self.number < len(sessions) else None


class Viewers:
    """All of them. Each opening of a stream is a request of the history; what a stream brings is written down too."""

    def __init__(self, load: Recorder, gateways: Gateways, token: Token) -> None:
        self._load, self._gateways = load, gateways
        self._viewers = [
            Viewer(f"{account.mark}-viewer-{number}", account, token(account.id, "viewer"), number)
            for account in load.accounts
            for number in range(EACH)
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._follow(viewer)) for viewer in self._viewers]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def leave(self) -> None:
        """Once nothing changes any more: each stays until it has seen the last change, if that comes in time."""
        await asyncio.gather(*(self._leave(viewer) for viewer in self._viewers if viewer.session))

    async def _leave(self, viewer: Viewer) -> None:
        session = str(viewer.session)
        path = f"{SESSIONS}/{session}"
        request = self._load.request(
            viewer.name, viewer.account, "read_session", "GET", path, session=session
        )
        shown = await self._load.call(request, viewer.token)
        owed = shown.result.answer["sequence"] if shown.accepted else 1
        with suppress(NotInTime):  # that is for the checker to say
            await until("it sees all", lambda: (viewer.last or 0) >= owed, within_s=_CAUGHT_UP_S)
        self._load.history.left(Left(viewer.name, session, owed))

    async def _follow(self, viewer: Viewer) -> None:
        """Open a stream, and another whenever it ends."""
        while True:
            if viewer.session is not None:
                await self._watch(viewer, viewer.session)
            await asyncio.sleep(_AGAIN_S)

    async def _watch(self, viewer: Viewer, session: str) -> None:
        path = f"{SESSIONS}/{session}/events"
        request = self._load.request(
            viewer.name, viewer.account, "watch", "GET", path, session=session, after=viewer.last
        )
        began, opened = self._load.history.invoke(request), False
        try:
            async with self._gateways.stream(request, viewer.token) as response:
                opened = True
                self._done(request, await _opening(response), began)
                if response.status_code == httpx.codes.OK:
                    async for frame in frames(response.aiter_lines()):
                        self._see(viewer, session, frame)
        except (httpx.HTTPError, TimeoutError) as error:
            if not opened:
                self._done(request, Result(status=None, failure=type(error).__name__), began)

    def _done(self, request: Request, result: Result, began: float) -> None:
        self._load.progress.note(self._load.history.complete(request, result, began=began))

    def _see(self, viewer: Viewer, session: str, frame: Frame) -> None:
        self._load.history.seen(
            Seen(viewer.name, viewer.account.id, session, event=frame.event, id=frame.id, data=frame.data)
        )
        if frame.id is not None:
            viewer.last = frame.id


async def _opening(response: httpx.Response) -> Result:
    if response.status_code == httpx.codes.OK:
        return Result(status=httpx.codes.OK)
    await response.aread()
    return read(response)
