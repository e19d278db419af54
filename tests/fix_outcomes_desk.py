"""An account at work on the real record, and the means to hold it up in the middle."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fix_outcomes import handlers
from fix_outcomes.handlers import Checkpoint, Failure
from fix_outcomes_doubles import command, create_session, suggest_fix
from shared.contracts.answers import Answer
from shared.contracts.commands import Action, Command
from sqlalchemy.ext.asyncio import AsyncEngine


class Pause:
    """A checkpoint that holds whoever reaches it until `go_on`."""

    def __init__(self, at: str) -> None:
        self._at = at
        self.reached = asyncio.Event()
        self._released = asyncio.Event()

    def go_on(self) -> None:
        self._released.set()

    async def __call__(self, name: str) -> None:
        if name == self._at:
            self.reached.set()
            await self._released.wait()


async def no_checkpoint(_name: str) -> None:
    pass


@dataclass
class Desk:
    """One account at work on the real record."""

    engine: AsyncEngine
    account: UUID

    async def record(
        self, *batch: Command, checkpoint: Checkpoint = no_checkpoint
    ) -> tuple[list[Answer], list[Failure]]:
        return await handlers.record(
            batch, engine=self.engine, clock=lambda: datetime.now(UTC), checkpoint=checkpoint
        )

    async def send(self, *batch: Command) -> list[Answer]:
        """The answers; that none of the batch failed is taken for granted."""
        answers, failures = await self.record(*batch)
        assert failures == []
        return answers

    def command(self, action: Action, **of_command: Any) -> Command:
        return command(action, **({"account": self.account} | of_command))

    async def ask(self, action: Action, **of_command: Any) -> Answer:
        [answer] = await self.send(self.command(action, **of_command))
        return answer

    async def open_session(self) -> UUID:
        return UUID((await self.ask(create_session())).body["id"])

    async def suggest(self, session_id: UUID) -> UUID:
        return UUID((await self.ask(suggest_fix(session_id))).body["id"])
