"""Deliveries as a broker may make them: a second time, late, and in another order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from random import Random
from typing import Final

import aio_pika
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage
from shared.broker import BROKER_ERRORS
from shared.contracts import topology
from shared.contracts.topology import WorkQueue
from shared.contracts.vocabulary import Service

from faults.injector import until
from faults.stage import Stage

_LATEST_S: Final = 0.3
_HELD_AT_ONCE: Final = 3
_COPY: Final = "copy"

_WORK: Final[tuple[tuple[Service, WorkQueue], ...]] = (
    (Service.GATEWAY, topology.FIX_OUTCOMES_COMMANDS),
    (Service.FIX_OUTCOMES, topology.NOTE_GENERATOR_STATE_CHANGES),
)
"""Who feeds which queue of work."""

Take = Callable[[AbstractIncomingMessage], Awaitable[None]]


@asynccontextmanager
async def repeated(stage: Stage, rng: Random) -> AsyncIterator[Callable[[], int]]:
    """Every message of commands and of state changes comes a second time, late; gives how many did so far."""
    copied, on_their_way, over = 0, 0, False
    async with _connections(stage) as connect:
        for user, work in _WORK:
            source = await connect(None)
            target = await (await connect(user)).get_exchange(work.exchange, ensure=False)
            queue = await source.declare_queue(exclusive=True)
            await queue.bind(work.exchange, routing_key=work.key)

            async def again(
                message: AbstractIncomingMessage, user: Service = user, target: AbstractExchange = target
            ) -> None:
                nonlocal copied, on_their_way
                if over or _COPY in message.headers:
                    return
                on_their_way += 1
                try:
                    await asyncio.sleep(rng.uniform(0, _LATEST_S))
                    await target.publish(_copy(message, user), routing_key=str(message.routing_key))
                    copied += 1
                except BROKER_ERRORS:
                    pass
                finally:
                    on_their_way -= 1

            await queue.consume(again, no_ack=True)
        yield lambda: copied
        over = True
        await until("the last copies have arrived", lambda: on_their_way == 0)


@asynccontextmanager
async def disordered(stage: Stage, rng: Random) -> AsyncIterator[Callable[[], int]]:
    """Somebody else takes some of the work, holds it for a while and gives it back: what came later overtakes it."""
    held = 0
    async with _connections(stage) as connect:
        for _, work in _WORK:
            channel = await connect(None)
            await channel.set_qos(prefetch_count=_HELD_AT_ONCE)

            async def hold(message: AbstractIncomingMessage) -> None:
                nonlocal held
                await asyncio.sleep(rng.uniform(0, _LATEST_S))
                with suppress(*BROKER_ERRORS):
                    await message.nack(requeue=True)
                    held += 1

            await (await channel.get_queue(work.name)).consume(hold)
        yield lambda: held


def _copy(message: AbstractIncomingMessage, user: Service) -> Message:
    return Message(
        message.body,
        headers={**message.headers, _COPY: 1},
        reply_to=message.reply_to,
        user_id=user,
        content_type=message.content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
    )


@asynccontextmanager
async def _connections(stage: Stage) -> AsyncIterator[Callable[[Service | None], Awaitable[AbstractChannel]]]:
    """Channels on connections of their own, as a service's user or as the administrator."""
    async with AsyncExitStack() as open_:

        async def connect(user: Service | None) -> AbstractChannel:
            url = stage.user_url(user) if user else stage.addresses.amqp_url
            connection = await open_.enter_async_context(await aio_pika.connect(url))
            return await connection.channel()

        yield connect
