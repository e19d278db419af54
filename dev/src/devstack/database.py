"""The few questions that the launcher itself asks Postgres, with its own asyncpg, from any thread or loop."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

Answer = TypeVar("Answer")


class UnusableDatabaseError(Exception):
    """The database can be neither used nor created; the text says why, without the password."""


def answers(url: str) -> bool:
    """Whether the server behind this URL accepts our login."""
    try:
        _run(_ask(url, "select 1"))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


def ensure_database(url: str) -> None:
    """Create the database that the URL names, where there is none yet. Raises UnusableDatabaseError."""
    parts = urlsplit(url)
    try:
        _create_unless_there(url, unquote(parts.path.removeprefix("/")))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UnusableDatabaseError(f"database {parts.path} at {parts.hostname}: {error}") from error


def with_path(url: str, path: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=path))


def _create_unless_there(url: str, name: str) -> None:
    try:
        _run(_ask(url, "select 1"))
    except asyncpg.InvalidCatalogNameError:
        quoted = '"' + name.replace('"', '""') + '"'
        _run(_ask(with_path(url, "/postgres"), f"create database {quoted}"))


async def _ask(url: str, question: str) -> None:
    connection = await asyncpg.connect(url, timeout=5, command_timeout=10)
    try:
        await connection.execute(question)
    finally:
        await connection.close()


def _run(work: Coroutine[Any, Any, Answer]) -> Answer:
    # A thread of its own: the caller may be a test that runs inside an event loop.
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(asyncio.run, work).result()
