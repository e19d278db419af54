"""A connection to RabbitMQ that comes back: what a user sets up on it is set up again after every loss."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, DeliveryError

from shared.logs import logger

BROKER_ERRORS: Final = (*CONNECTION_EXCEPTIONS, TimeoutError)
"""What an operation on a lost or refused connection may raise; StopAsyncIteration too, from a booting broker."""

UNROUTABLE_OR_REFUSED: Final = DeliveryError

HEARTBEAT_S: Final = 10
CONNECT_TIMEOUT_S: Final = 5.0
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.1, 2.0
_CUT_SHORT_S: Final = 1.0
"""For what takes one turn of the event loop: long, since a busy machine may stand still for a while."""

log = logger(__name__)

Setup = Callable[[AbstractConnection], Awaitable[None]]


@contextmanager
def cancelled_by_us_alone() -> Iterator[None]:
    """Raises ConnectionError where the library cancels what waits on a connection, and nobody cancelled the task.

    aiormq ends a connection that has been silent by cancelling its reader, and hands just that to all who wait.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ConnectionError("the connection was given up") from error


class BrokerConnection:
    """Connects, calls `setup`, and begins again when the connection is lost, until `stop`.

    `lost` is called after each loss, before the next attempt.
    """

    def __init__(self, *, url: str, name: str, setup: Setup, lost: Callable[[], None] = lambda: None) -> None:
        self._url, self._name = url, name
        self._setup, self._lost = setup, lost
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._ready = asyncio.Event()
        self._drop = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether the connection is up and set up."""
        return self._ready.is_set()

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._task = asyncio.create_task(self._keep(), name=f"amqp {self._name}")

    async def wait_ready(self, timeout_s: float) -> bool:
        """Whether the connection became ready within the time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            return False
        return True

    def drop(self) -> None:
        """Give this connection up and make a new one: it no longer does what it should."""
        self._drop.set()

    async def stop(self) -> None:
        """Close, and do not come back."""
        if self._task is None:
            return
        self._stopping = True
        self._task.cancel()
        await asyncio.wait([self._task], timeout=CONNECT_TIMEOUT_S)

    async def _keep(self) -> None:
        """Nothing but `stop` ends this: a library may raise anything, and cancels its own futures when it closes."""
        delay_s = _FIRST_DELAY_S
        while True:
            try:
                await self._hold()
                delay_s = _FIRST_DELAY_S
            except BROKER_ERRORS as error:
                log.warning("broker connection failed", connection=self._name, reason=type(error).__name__)
            except asyncio.CancelledError:
                if self._stopping:
                    raise
                log.warning("broker connection failed", connection=self._name, reason="CancelledError")
            except Exception:
                log.exception("broker connection failed", connection=self._name)
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            delay_s = min(delay_s * 2, _LONGEST_DELAY_S)

    async def _hold(self) -> None:
        connection = await aio_pika.connect(
            self._url,
            timeout=CONNECT_TIMEOUT_S,
            heartbeat=HEARTBEAT_S,
            client_properties={"connection_name": self._name},
        )
        ended = asyncio.Event()
        self._drop = ended
        connection.close_callbacks.add(lambda *_: ended.set())
        try:
            await self._set_up(connection, ended)
            self._ready.set()
            log.info("broker connection ready", connection=self._name)
            await ended.wait()
        finally:
            # Before it is closed, which takes a while where the broker is silent: what is written meanwhile is lost.
            self._ready.clear()
            self._lost()
            await close(connection)

    async def _set_up(self, connection: AbstractConnection, ended: asyncio.Event) -> None:
        """Set up within the time; a connection that ends meanwhile is not waited for."""
        setting_up, ending = (
            asyncio.ensure_future(self._setup(connection)),
            asyncio.ensure_future(ended.wait()),
        )
        try:
            done, _ = await asyncio.wait(
                (setting_up, ending), timeout=CONNECT_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if setting_up not in done:
                raise ConnectionError("it ended, or was silent, while it was set up")
            setting_up.result()
        finally:
            for task in (setting_up, ending):
                task.cancel()
            await asyncio.wait((setting_up, ending), timeout=1.0)


async def close(connection: AbstractConnection, *, within_s: float = 1.0) -> None:
    """Close within a moment; a connection that does not answer is left to the socket's end.

    aio-pika counts it as closed only when a closing ends: so one that is cut short is followed by another, which has
    nobody to wait for any more.
    """
    closing: asyncio.Task[Any] = asyncio.ensure_future(connection.close())
    await asyncio.wait([closing], timeout=within_s)
    if not closing.done():
        closing.cancel()
        await asyncio.wait([closing], timeout=_CUT_SHORT_S)
        await asyncio.wait([asyncio.ensure_future(connection.close())], timeout=_CUT_SHORT_S)
