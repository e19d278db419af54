"""A server takes no more time than it is given, and no more memory, however it answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from gateway.download import download

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@asynccontextmanager
async def server(answering: Answering) -> AsyncIterator[str]:
    """The address of a server that answers each request like this; what it still says is cut at the end."""
    open_: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await answering(writer)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(asyncio.create_task(serve(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/keys"
    finally:
        listening.close()
        for task in open_:
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)


def saying(*parts: bytes) -> Answering:
    async def answering(writer: asyncio.StreamWriter) -> None:
        writer.writelines(parts)
        await writer.drain()
        writer.write_eof()
        await asyncio.sleep(20)  # until the test cuts it

    return answering


def dripping(beginning: bytes) -> Answering:
    async def answering(writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while True:
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.01)

    return answering


async def fetched(url: str, *, within_s: float = 20.0) -> bytes:
    return await asyncio.to_thread(download, url, within_s=within_s, longest=10_000)


async def test_a_document_is_read_as_it_is() -> None:
    async with server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"a key")) as url:
        assert await fetched(url) == b"a key"


async def test_a_server_that_drips_is_given_up_in_time() -> None:
    beginning = b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n"
    async with asyncio.timeout(20), server(dripping(beginning)) as url:
        with pytest.raises(TimeoutError):
            await fetched(url, within_s=0.5)


async def test_a_document_that_is_too_long_is_refused() -> None:
    async with server(saying(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_001)) as url:
        with pytest.raises(ValueError, match="too long"):
            await fetched(url)
