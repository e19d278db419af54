"""Couriers and publishers on a real broker, and a worker that answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from aio_pika.abc import AbstractIncomingMessage
from shared.contracts import topology
from shared.contracts.answers import Answer, Answers
from shared.contracts.commands import Command, CommandBatch, CreateSession
from shared.contracts.examples import ACCOUNT, SAM
from shared.contracts.views import IntakeContent
from shared.contracts.vocabulary import Service
from shared.courier import Courier, Destination, Limits
from shared.publisher import Publisher

DEADLINE_S = 10.0

COMMANDS: Destination[Command] = Destination(
    exchange=topology.COMMANDS,
    routing_key=topology.FIX_OUTCOMES_COMMANDS.key,
    persistent=True,
    encode=lambda batch: CommandBatch(commands=tuple(batch)).model_dump_json().encode(),
)


def command(text: str = "no internet") -> Callable[[int], Command]:
    action = CreateSession(intake_content=IntakeContent(text=text))
    return lambda ref: Command(
        ref=ref,
        command_id=uuid4(),
        account_id=ACCOUNT,
        actor=SAM,
        fingerprint="",
        issued_at=datetime.now(UTC),
        action=action,
    )


@asynccontextmanager
async def running_courier(url: str, *, limits: Limits | None = None) -> AsyncIterator[Courier[Command]]:
    courier = Courier(url=url, service=Service.GATEWAY, replica="1", destination=COMMANDS, limits=limits)
    await courier.start()
    try:
        yield courier
    finally:
        await courier.stop()


@asynccontextmanager
async def running_publisher(url: str, service: Service = Service.FIX_OUTCOMES) -> AsyncIterator[Publisher]:
    publisher = Publisher(url=url, service=service, replica="1", purpose="test")
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


class Worker:
    """Stands in for fix-outcomes: answers each command with its text, and counts what it saw."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.batches: list[Sequence[Command]] = []
        self.answering = asyncio.Event()
        self.answering.set()

    async def on_message(self, message: AbstractIncomingMessage) -> None:
        batch = CommandBatch.model_validate_json(message.body).commands
        self.batches.append(batch)
        assert message.user_id == Service.GATEWAY
        await self.answering.wait()
        answers = Answers(answers=tuple(_answer(each) for each in batch))
        await self._publisher.reply(answers.model_dump_json().encode(), reply_to=message.reply_to or "")
        await message.ack()


def _answer(command: Command) -> Answer:
    assert isinstance(command.action, CreateSession)
    return Answer(ref=command.ref, status=201, body={"text": command.action.intake_content.text})
