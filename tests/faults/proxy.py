"""A TCP proxy for each link between two processes: it passes everything on, until it is told to be a bad network."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

_CHUNK: Final = 65_536
_SLICE: Final = 7
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Weather:
    """How a link behaves. `refuses`: new connections end at once. `blackhole`: bytes vanish, nothing ends.

    `half_open`: only what the server sends vanishes; it goes on hearing.
    """

    refuses: bool = False
    blackhole: bool = False
    half_open: bool = False
    delay_s: float = 0.0
    bytes_per_s: float | None = None
    slices: bool = False


FAIR: Final = Weather()


class Link:
    """One proxy. All methods may be called from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: tuple[str, int]) -> None:
        self._loop, self._target = loop, target
        self._weather = FAIR
        self._writers: set[StreamWriter] = set()
        self.port = 0
        self.listening = asyncio.Event()

    def instead_of(self, url: str) -> str:
        """The same URL, by way of this link."""
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{self.port}"))

    def change(self, weather: Weather) -> None:
        """From now on the link is like this."""
        self._loop.call_soon_threadsafe(self._change, weather)

    def heal(self) -> None:
        """Pass everything on again. What a blackhole swallowed stays lost, and so do its connections."""
        self._loop.call_soon_threadsafe(self._heal)

    def cut(self) -> None:
        """End every connection, and refuse new ones."""
        self.change(Weather(refuses=True))
        self._loop.call_soon_threadsafe(self._end_all, False)

    def reset(self) -> None:
        """End every connection with a reset; new ones are welcome."""
        self._loop.call_soon_threadsafe(self._end_all, True)

    async def serve(self) -> None:
        """Listen until cancelled."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.listening.set()
        async with server:
            await asyncio.Event().wait()

    def _change(self, weather: Weather) -> None:
        self._weather = weather

    def _heal(self) -> None:
        if self._weather.blackhole or self._weather.half_open:
            self._end_all(True)
        self._weather = FAIR

    def _end_all(self, abruptly: bool) -> None:
        for writer in self._writers:
            if abruptly:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._weather.refuses:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer, homewards=False))
                both.create_task(self._pump(far_reader, writer, homewards=True))
        except* OSError:
            pass
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pump(self, reader: StreamReader, writer: StreamWriter, *, homewards: bool) -> None:
        while data := await reader.read(_CHUNK):
            weather = self._weather
            if weather.blackhole or (weather.half_open and homewards):
                continue
            if weather.delay_s:
                await asyncio.sleep(weather.delay_s)
            if weather.bytes_per_s:
                await asyncio.sleep(len(data) / weather.bytes_per_s)
            step = _SLICE if weather.slices else len(data)
            for start in range(0, len(data), step):
                writer.write(data[start : start + step])
                await writer.drain()
        raise ConnectionResetError  # one end is gone: end the other too


class Links:
    """Proxies on a thread of their own, so that no test that blocks holds up the stack."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._tasks: list[asyncio.Task[None]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def to(self, url: str) -> Link:
        """A new link to the server of this URL."""
        parts = urlsplit(url)
        link = Link(self._loop, (str(parts.hostname), parts.port or 0))
        self._run(lambda: self._serve(link))
        return link

    async def _serve(self, link: Link) -> None:
        self._tasks.append(asyncio.create_task(link.serve()))
        await link.listening.wait()

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await asyncio.gather(*others, return_exceptions=True)

    def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        async def done() -> None:
            await work()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(timeout=10)
