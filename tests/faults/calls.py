"""Requests, each recorded before it is sent and when its result is known."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from faults.history import Attempt, HistoryFile, Request, Result
from faults.tenants import Account

Send = Callable[[Request, str], Awaitable[Result]]
"""Sends a request with a token; whatever became of it, there is a result."""


@dataclass(slots=True)
class Progress:
    """What has been seen so far; experiments wait for it instead of for time."""

    accepted: int = 0
    queued: int = 0
    unknown: int = 0
    server_errors: int = 0

    def note(self, attempt: Attempt) -> None:
        """Count one attempt."""
        if attempt.change and attempt.accepted:
            self.accepted += 1
        self.queued += attempt.change and attempt.queued and not attempt.request.at_once
        self.unknown += attempt.change and attempt.unknown
        self.server_errors += (attempt.result.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR


class Calls:
    """Makes requests on behalf of accounts."""

    def __init__(self, history: HistoryFile, *, accounts: Sequence[Account], send: Send) -> None:
        self.history, self.accounts, self.progress = history, accounts, Progress()
        self._operations = itertools.count(1)
        self._send = send

    async def call(self, request: Request, token: str) -> Attempt:
        """One request, recorded before and after."""
        began = self.history.invoke(request)
        result = await self._send(request, token)
        attempt = self.history.complete(request, result, began=began)
        self.progress.note(attempt)
        return attempt

    def request(
        self, client: str, account: Account, kind: str, method: str, path: str, **more: Any
    ) -> Request:
        """A new request, of a new operation."""
        return Request(
            number=self.history.number(),
            operation=next(self._operations),
            client=client,
            account=account.id,
            kind=kind,
            method=method,
            path=path,
            **more,
        )
