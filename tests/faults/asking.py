"""How an engineer asks: again until it is known what became of it, and after what was only queued."""

import asyncio
from collections import deque
from random import Random
from typing import Any, Final

from faults.calls import Calls
from faults.history import Attempt, Request, retried
from faults.tenants import Account, Case

DECIDED_S: Final = 15.0
"""A change that was queued is decided within this time after the load has ended."""

_NEVER_RETRIED_SHARE: Final = 0.1


class Asking:
    """One engineer's requests, and what is learnt from their answers."""

    def __init__(self, calls: Calls, account: Account, *, name: str, rng: Random) -> None:
        self._calls, self._account, self._rng = calls, account, rng
        self.name = name
        self._queued: deque[Attempt] = deque()

    async def follow_queued(self) -> None:
        """See what became of all that was queued."""
        while self._queued:
            await self._follow(self._queued.popleft())

    async def _read(self, kind: str, method: str, path: str, case: Case | None, **more: Any) -> Attempt:
        session = case.id if case else None
        request = self._calls.request(self.name, self._account, kind, method, path, session=session, **more)
        return await self._calls.call(request, self._account.token)

    async def _change(
        self, kind: str, method: str, path: str, case: Case | None = None, **more: Any
    ) -> Attempt | None:
        return await self._persist(self._new(kind, method, path, case, **more))

    def _new(
        self, kind: str, method: str, path: str, case: Case | None = None, *, keyed: bool = True, **more: Any
    ) -> Request:
        key = f"k-{next(self._account.keys)}" if keyed else None
        body = more.get("body") or {}
        mark = body.get("notes") if not keyed else None
        session = case.id if case else None
        return self._calls.request(
            self.name, self._account, kind, method, path, session=session, key=key, mark=mark, **more
        )

    async def _persist(self, request: Request) -> Attempt:
        """Ask until it is known what became of it; without a key, and now and then with one, leave it unknown."""
        attempt = await self._calls.call(request, self._account.token)
        gives_up = self._rng.random() < _NEVER_RETRIED_SHARE
        pause_s, left_s = 0.1, 20.0
        while attempt.unknown and request.key is not None and not gives_up and left_s > 0:
            await asyncio.sleep(pause_s)
            left_s, pause_s = left_s - pause_s, min(pause_s * 2, 1.0)
            request = retried(request, number=self._calls.history.number())
            attempt = await self._calls.call(request, self._account.token)
        self._learn(attempt)
        return attempt

    def _learn(self, attempt: Attempt) -> None:
        """What the client knows after an answer."""
        if attempt.queued:
            self._queued.append(attempt)
            if attempt.result.location:
                self._account.operations.append(attempt.result.location)
        fix = attempt.request.fix
        answer = attempt.result.answer
        shown = answer.get("current", answer) if isinstance(answer, dict) else None
        over = isinstance(shown, dict) and "allowed_outcomes" in shown and not shown["allowed_outcomes"]
        if fix and over:
            for case in self._account.cases:
                if fix in case.open_fixes:
                    case.open_fixes.remove(fix)
        if attempt.request.session and isinstance(answer, dict) and answer.get("code") == "session_closed":
            self._account.cases[:] = [
                case for case in self._account.cases if case.id != attempt.request.session
            ]

    async def _follow(self, queued: Attempt) -> None:
        """See what became of a queued change: it is decided, or an operator must look."""
        loop = asyncio.get_running_loop()
        pause_s, deadline = 0.05, loop.time() + DECIDED_S
        while loop.time() < deadline:
            seen = await self._read(
                "operation", "GET", queued.result.location or "", None, about=queued.request.number
            )
            if seen.accepted and (
                seen.result.answer["status"] != "pending" or seen.result.answer.get("parked")
            ):
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.5)
