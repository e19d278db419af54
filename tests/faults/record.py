"""What the stack holds once it has come to rest: the rows, the notes, and what its queues still have."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

import aio_pika
import asyncpg
import orjson
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustChannel
from redis.asyncio import Redis
from shared.contracts import topology

Row = dict[str, Any]

_TABLES: Final = (
    "sessions",
    "suggested_fixes",
    "messages",
    "facts",
    "journal",
    "command_log",
    "parked_commands",
)
_OUTBOX: Final = """
select o.session_id, o.sequence, o.published_at is not null as published
from outbox o join journal j using (session_id, sequence) where j.account_id = any ($1::uuid[])
"""
_SHOWN: Final = 2_000


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to look, as an administrator."""

    database_url: str
    amqp_url: str
    redis_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Rows by table, for the accounts of one run; notes by key; depth by queue; parked messages by queue.

    `waiting`: what the services still held in their memory.
    """

    tables: dict[str, list[Row]]
    notes: dict[str, Row]
    queues: dict[str, int]
    parked: dict[str, list[Row]]
    waiting: dict[str, float] = field(default_factory=dict)

    @classmethod
    async def take(cls, at: Addresses, accounts: Sequence[str]) -> Self:
        """As it is now."""
        queues, parked = await _broker(at.amqp_url)
        return cls(
            tables=await _tables(at.database_url, accounts),
            notes=await notes(at.redis_url, accounts),
            queues=queues,
            parked=parked,
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """As it was written."""
        return cls(**orjson.loads(path.read_bytes()))

    def write(self, path: Path) -> None:
        """For a later check."""
        path.write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))


async def notes(redis_url: str, accounts: Sequence[str]) -> dict[str, Row]:
    """Every note of these accounts: its version, and what is stored."""
    found: dict[str, Row] = {}
    redis = Redis.from_url(redis_url, decode_responses=True)
    try:
        for account in accounts:
            async for key in redis.scan_iter(match=f"rf:note:{account}:*", count=1_000):
                version, note = await redis.hmget(key, ["v", "d"])
                if version is not None and note is not None:
                    found[key] = {"version": int(version), "note": orjson.loads(note)}
    finally:
        await redis.aclose()
    return found


async def _tables(database_url: str, accounts: Sequence[str]) -> dict[str, list[Row]]:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.set_type_codec("json", encoder=str, decoder=orjson.loads, schema="pg_catalog")
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            found = {
                table: _plain(
                    await connection.fetch(
                        f"select * from {table} where account_id = any ($1::uuid[])", list(accounts)
                    )
                )
                for table in _TABLES
            }
            return found | {"outbox": _plain(await connection.fetch(_OUTBOX, list(accounts)))}
    finally:
        await connection.close()


def _plain(rows: Sequence[asyncpg.Record]) -> list[Row]:
    return [{name: str(v) if isinstance(v, UUID) else v for name, v in row.items()} for row in rows]


async def _broker(amqp_url: str) -> tuple[dict[str, int], dict[str, list[Row]]]:
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        depths = {queue.name: await _depth(channel, queue.name) for queue in topology.queues()}
        parked = {work.parked: await _look_into(channel, work.parked) for work in topology.WORK_QUEUES}
    return depths, parked


async def _depth(channel: Any, name: str) -> int:
    queue = await channel.declare_queue(name, passive=True)
    return int(queue.declaration_result.message_count or 0)


async def _look_into(channel: AbstractRobustChannel | Any, name: str) -> list[Row]:
    """What is parked there; it goes back untouched."""
    queue = await channel.get_queue(name)
    taken: list[AbstractIncomingMessage] = []
    while (message := await queue.get(no_ack=False, fail=False)) is not None:
        taken.append(message)
    for message in taken:
        await message.nack(requeue=True)
    return [_shown(message) for message in taken]


def _shown(message: AbstractIncomingMessage) -> Row:
    return {
        "body": message.body[:_SHOWN].decode(errors="replace"),
        "size": len(message.body),
        "headers": orjson.loads(orjson.dumps(message.headers, default=str)),
    }


async def drained(amqp_url: str) -> bool:
    """Whether nothing waits in a queue of work or of a retry."""
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        parked = {work.parked for work in topology.WORK_QUEUES}
        return all([await _depth(channel, q.name) == 0 for q in topology.queues() if q.name not in parked])


async def discard_parked(amqp_url: str) -> None:
    """Begin with empty parking queues: what an earlier experiment parked is not ours."""
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        for work in topology.WORK_QUEUES:
            await (await channel.get_queue(work.parked)).purge()
