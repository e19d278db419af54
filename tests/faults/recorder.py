"""The load: engineers of several accounts at work on hot and cold sessions, every step of theirs recorded.

Seeded: the same seed makes the same choices. Keys are numbers that begin anew in each account, so that accounts use
the same keys; every text carries a mark of its account, so that a leak can be seen.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Final, Self

from faults.calls import Calls, Send
from faults.client import DOCUMENTS, SESSIONS, STEADY, Client, Habits
from faults.history import HistoryFile
from faults.tenants import Account, Token, accounts_of

_UNHURRIED_S: Final = 3.0


class Recorder(Calls):
    """Runs the clients."""

    def __init__(
        self,
        history: HistoryFile,
        *,
        seed: str,
        send: Send,
        token: Token,
        accounts: int = 3,
        clients_each: int = 3,
        habits: Habits = STEADY,
    ) -> None:
        super().__init__(history, accounts=accounts_of(seed, accounts, token), send=send)
        self._clients = [
            Client(
                self,
                account,
                name=f"{account.mark}-{n}",
                rng=Random(f"{seed} {account.mark} {n}"),
                habits=habits,
            )
            for account in self.accounts
            for n in range(1, clients_each + 1)
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        for account in self.accounts:
            history.write("account", id=account.id, mark=account.mark)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self) -> None:
        """Let all clients work."""
        self._tasks = [asyncio.create_task(client.work(self._stopping)) for client in self._clients]

    async def stop(self) -> None:
        """Let them finish what they are at: the retries of what is unknown, and what was queued."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        for account in self.accounts:
            for other in self.accounts:
                if other is not account:
                    await self._trespass(account, other)

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """While inside, everybody takes their time between two things."""
        ordinary = [client.habits for client in self._clients]
        for client in self._clients:
            client.habits = replace(client.habits, idle_s=_UNHURRIED_S)
        try:
            yield
        finally:
            for client, habits in zip(self._clients, ordinary, strict=True):
                client.habits = habits

    async def _trespass(self, account: Account, other: Account) -> None:
        """What is another account's does not exist."""
        paths = [("foreign_session", f"{SESSIONS}/{session}") for session in other.sessions[:1]]
        paths += [("foreign_operation", operation) for operation in other.operations[:1]]
        for kind, path in paths:
            await self.call(self.request("closing", account, kind, "GET", path), account.token)

    async def preview(self, *, sessions: int | None = None) -> None:
        """Ask for both documents of so many sessions of each account; of all: a cache that was lost is filled again."""
        for account in self.accounts:
            for session in account.sessions[:sessions]:
                for document in DOCUMENTS:
                    path = f"{SESSIONS}/{session}/{document}/preview"
                    request = self.request("closing", account, "preview", "POST", path, session=session)
                    await self.call(request, account.token)
