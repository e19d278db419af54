"""Harm to a server that goes on running: it blocks, refuses, has no room, or has forgotten. Each heals itself."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import asyncpg
from devstack import postgres, rabbitmq
from devstack.binaries import rabbitmq_folder
from redis.asyncio import Redis

from faults.stage import Stage

OURS: Final = "('fix_outcomes', 'fix_outcomes_relay')"
"""The roles of the services."""

_TABLES: Final = ("journal", "outbox", "command_log")
_WATERMARK: Final = "0.4"
_ROOM: Final = 24 << 20
_MOST_CONNECTIONS: Final = 400
_CONNECTING_AT_ONCE: Final = 8
_PIECE: Final = b"\0" * (1 << 20)


class CannotBeDoneHere(Exception):
    """This machine does not let us do this harm; the text says why."""


@asynccontextmanager
async def memory_alarm(stage: Stage) -> AsyncIterator[None]:
    """RabbitMQ believes that it has no memory left, and takes nothing from publishers."""
    await _rabbitmqctl(stage, "set_vm_memory_high_watermark", "0")
    try:
        yield
    finally:
        await _rabbitmqctl(stage, "set_vm_memory_high_watermark", _WATERMARK)


async def terminate_backends(stage: Stage) -> None:
    """End every connection that a service has to Postgres, whatever it is doing on it."""
    async with _administrator(stage) as connection:
        await connection.execute(
            f"select pg_terminate_backend(pid) from pg_stat_activity where usename in {OURS}"
        )


@asynccontextmanager
async def no_connection_left(stage: Stage) -> AsyncIterator[None]:
    """Others hold every connection that Postgres has; those of the services are among what they took."""
    held: list[asyncpg.Connection] = []
    async with _administrator(stage) as connection:
        try:
            await _take_all(stage, held)
            await connection.execute(
                f"select pg_terminate_backend(pid) from pg_stat_activity where usename in {OURS}"
            )
            await _take_all(stage, held)
            yield
        finally:
            for each in held:
                each.terminate()


@asynccontextmanager
async def disk_full(stage: Stage) -> AsyncIterator[None]:
    """The tables that every change is written to lie on a disk of their own, and that is full.

    Raises CannotBeDoneHere where no small disk can be made.
    """
    async with _administrator(stage) as connection:
        size = await connection.fetchval(
            "select sum(pg_total_relation_size(each::regclass)) from unnest($1::text[]) as each", _TABLES
        )
        with _small_disk(int(size) + _ROOM) as disk:
            await connection.execute(f"create tablespace small location '{disk / 'tables'}'")
            try:
                await _move(connection, "small")
                filler = disk / "filler"
                await asyncio.to_thread(_fill, filler)
                try:
                    yield
                finally:
                    filler.unlink()
            finally:
                await _move(connection, "pg_default")
                await connection.execute("drop tablespace small")


async def forget_everything(stage: Stage) -> None:
    """Redis loses what it holds, and goes on."""
    async with Redis.from_url(stage.addresses.redis_url) as redis:
        await redis.flushall()


@asynccontextmanager
async def no_memory(stage: Stage) -> AsyncIterator[None]:
    """Redis may use less memory than it needs for itself: it throws all away, and takes nothing.

    FLUSHALL at the end finds nothing to do: it tells whoever watches what they were not told.
    """
    async with Redis.from_url(stage.addresses.redis_url) as redis:
        before = (await redis.config_get("maxmemory"))["maxmemory"]
        assert before is not None
        await redis.config_set("maxmemory", "100kb")
        try:
            yield
        finally:
            await redis.flushall()
            await redis.config_set("maxmemory", before)


@asynccontextmanager
async def _administrator(stage: Stage) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stage.addresses.database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def _take_all(stage: Stage, held: list[asyncpg.Connection]) -> None:
    async def take() -> None:
        with suppress(asyncpg.TooManyConnectionsError):
            while len(held) < _MOST_CONNECTIONS:
                held.append(await asyncpg.connect(stage.addresses.database_url))

    await asyncio.gather(*(take() for _ in range(_CONNECTING_AT_ONCE)))


async def _move(connection: asyncpg.Connection, tablespace: str) -> None:
    """Tables with their indexes, under load: each as soon as nobody is at it."""
    for table in _TABLES:
        await connection.execute(f"alter table {table} set tablespace {tablespace}")
        indexes = await connection.fetch("select indexname from pg_indexes where tablename = $1", table)
        for index in indexes:
            await connection.execute(f"alter index {index['indexname']} set tablespace {tablespace}")


@contextmanager
def _small_disk(size: int) -> Iterator[Path]:
    """A file system of so many bytes, with a folder `tables` that is Postgres' own."""
    if os.geteuid() != 0:
        raise CannotBeDoneHere("only root can mount a small disk")
    disk = Path(tempfile.mkdtemp(prefix="faults-disk-"))
    options = f"size={size},mode=0755"
    mount = ("mount", "-t", "tmpfs", "-o", options, "faults", str(disk))
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
        if mounted.returncode:
            raise CannotBeDoneHere(f"no small disk can be mounted: {mounted.stderr.strip()}")
        try:
            (disk / "tables").mkdir()
            shutil.chown(disk / "tables", postgres.ACCOUNT)
            yield disk
        finally:
            subprocess.run(("umount", "--lazy", str(disk)), check=True)
    finally:
        disk.rmdir()


def _fill(filler: Path) -> None:
    """Down to the last page."""
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        for piece in (_PIECE, _PIECE[:4096]):
            with suppress(OSError):
                while True:
                    file.write(piece)


async def _rabbitmqctl(stage: Stage, *arguments: str) -> None:
    environment = dict(rabbitmq.program(stage.stack.state).environment)
    process = await asyncio.create_subprocess_exec(
        str(rabbitmq_folder() / "rabbitmqctl"),
        "--quiet",
        *arguments,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise CannotBeDoneHere(f"rabbitmqctl {arguments[0]}: {told.decode()[-500:]}")
