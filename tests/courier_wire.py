"""A courier on a wire that confirms when the test says so, and callers that wait."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aio_pika import Message
from shared.contracts import topology
from shared.contracts.answers import Answer, Answers
from shared.contracts.vocabulary import Service
from shared.courier import Courier, Destination, Limits

LONG = 30.0


SHORT = 0.03


Request = tuple[int, str]


class Wire:
    """Stands in for a connection, its channel, queue and exchange: keeps what is published until told."""

    def __init__(self) -> None:
        self.close_callbacks: set[Callable[..., None]] = set()
        self.sent: list[Message] = []
        self.routed: list[tuple[str, bool]] = []
        self.open: list[asyncio.Future[None]] = []
        self.bound: tuple[str, str] | None = None

    async def channel(self, **_: object) -> "Wire":
        return self

    async def declare_queue(self, name: str, **options: bool) -> "Wire":
        assert options["exclusive"]
        self.queue = name
        return self

    async def bind(self, exchange: str, routing_key: str) -> None:
        self.bound = (exchange, routing_key)

    async def consume(self, callback: Callable[[Any], Awaitable[None]], *, no_ack: bool) -> None:
        assert no_ack
        self.on_answers = callback

    async def get_exchange(self, name: str, *, ensure: bool) -> "Wire":
        assert not ensure
        self.exchange = name
        return self

    async def publish(self, message: Message, *, routing_key: str, mandatory: bool) -> None:
        self.sent.append(message)
        self.routed.append((routing_key, mandatory))
        self.open.append(asyncio.get_running_loop().create_future())
        await self.open[-1]

    @property
    def batches(self) -> list[list[str]]:
        """The texts of the requests in each message."""
        return [[text for _, text in json.loads(message.body)] for message in self.sent]

    async def confirm(self, number: int = -1) -> None:
        self.open[number].set_result(None)
        await settle()

    async def fail(self, error: Exception, number: int = -1) -> None:
        self.open[number].set_exception(error)
        await settle()

    async def answer(self, *refs: int, status: int = 200) -> None:
        answers = Answers(answers=tuple(Answer(ref=ref, status=status, body={"ref": ref}) for ref in refs))
        await self.deliver(answers.model_dump_json().encode())

    async def deliver(self, body: bytes) -> None:
        await self.on_answers(type("Delivery", (), {"body": body}))
        await settle()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def make(text: str) -> Callable[[int], Request]:
    return lambda ref: (ref, text)


def courier_to(*, persistent: bool = True, **limits: Any) -> Courier[Request]:
    return Courier(
        url="amqp://nowhere.example/",
        service=Service.GATEWAY,
        replica="1",
        destination=Destination(
            exchange=topology.COMMANDS,
            routing_key="somebody.commands",
            persistent=persistent,
            encode=lambda batch: json.dumps(batch).encode(),
        ),
        limits=Limits(**{"waiting": 20, "batch": 3} | limits),
    )


async def leave(courier: Courier[Request]) -> None:
    courier._on_lost()
    await courier.stop()
    await settle()
    assert (courier.waiting, courier.unanswered) == (0, 0)


async def connected(courier: Courier[Request]) -> Wire:
    wire = Wire()
    await courier._set_up(wire)  # type: ignore[arg-type]  # of a connection it has what a courier uses
    await settle()
    return wire


async def asking(
    courier: Courier[Request], *texts: str, timeout_s: float = LONG, **more: bool
) -> list[asyncio.Task[Answer]]:
    """Callers that wait."""
    tasks = [asyncio.create_task(courier.ask(make(text), timeout_s=timeout_s, **more)) for text in texts]
    await settle()
    return tasks


async def given_up(*tasks: asyncio.Task[Answer]) -> list[BaseException | Answer]:
    return await asyncio.gather(*tasks, return_exceptions=True)
