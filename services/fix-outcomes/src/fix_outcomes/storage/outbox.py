"""What the relay reads and marks: the entries of the journal that the world has not been told of."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from fix_outcomes.storage import rows
from fix_outcomes.storage.database import Raw

_RELAY_LOCK: Final = 7_261_001
"""The advisory lock that makes a relay the only one; any number that nothing else in this database uses."""

_BECOME_LEADER: Final = "select pg_try_advisory_lock($1) as held"
_TOUCH: Final = "select 1"

_UNPUBLISHED: Final = """
select o.position, j.session_id, j.sequence, j.account_id, j.state_version, j.kind, j.fix_id, j.at, j.data,
  o.traceparent
from outbox o join journal j using (session_id, sequence)
where o.published_at is null and o.session_id <> all ($2::uuid[])
order by o.position
limit $1
"""

_MARK: Final = """
update outbox set published_at = now() where position = any ($1::bigint[]) and published_at is null
"""

_LAG: Final = """
select
  (select count(*) from (select from outbox where published_at is null limit $1) waiting) as rows,
  coalesce((select extract(epoch from now() - j.at)
            from outbox o join journal j using (session_id, sequence)
            where o.published_at is null
            order by o.position
            limit 1), 0)::float as seconds
"""

MOST_COUNTED: Final = 10_000
"""Entries that are counted, of those that wait: how many more there are tells nobody more."""

# What waits behind an entry that is not published would overtake it; the relay publishes both.
_ENTRIES: Final = """
select j.session_id, j.sequence, j.account_id, j.state_version, j.kind, j.fix_id, j.at, j.data
from journal j
where ($1::uuid is null or j.session_id = $1) and ($2::timestamptz is null or j.at >= $2)
  and (j.session_id, j.sequence) > ($3::uuid, $4::int)
  and not exists (select from outbox o
                  where o.session_id = j.session_id and o.sequence <= j.sequence and o.published_at is null)
order by j.session_id, j.sequence
limit $5
"""

Place = tuple[UUID, int]
BEGINNING: Final[Place] = (UUID(int=0), 0)

# The oldest of them by their index, then each at its place: no other row is read, however many there are.
_PURGE_PUBLISHED: Final = """
with gone as (
    delete from outbox where ctid = any (array(
        select ctid from outbox where published_at < now() - $1::interval order by published_at limit $2))
    returning 1
)
select count(*) as rows from gone
"""

_PURGE_ANSWERS: Final = """
with gone as (
    delete from command_log where ctid = any (array(
        select ctid from command_log where decided_at < now() - $1::interval order by decided_at limit $2))
    returning 1
)
select count(*) as rows from gone
"""

# A notice outlives the log: an operation that waits for an operator must say so for as long as it waits.
_PURGE_NOTICES: Final = """
with gone as (
    delete from parked_commands where command_id = any (array(
        select p.command_id from parked_commands p
        where p.parked_at < now() - interval '90 days'
           or exists (select from command_log l where l.command_id = p.command_id)
        limit $1))
    returning 1
)
select count(*) as rows from gone
"""


async def become_leader(connection: Raw) -> bool:
    """Whether this connection is the relay's now, for as long as it lives."""
    [row] = await connection.fetch(_BECOME_LEADER, _RELAY_LOCK)
    return bool(row["held"])


async def touch(connection: Raw) -> None:
    """Show the server that somebody is there. Where the connection is lost, and the lead with it, that is an outage."""
    await connection.execute(_TOUCH)


async def unpublished(connection: Raw, *, limit: int, without: Collection[UUID] = ()) -> Sequence[rows.Row]:
    """The oldest entries that are not published, in the order in which they were accepted, of other sessions."""
    return await connection.fetch(_UNPUBLISHED, limit, list(without))


def place(entry: rows.Row) -> Place:
    """Where an entry stands, to go on behind it."""
    return entry["session_id"], entry["sequence"]


async def entries(
    connection: Raw, *, session_id: UUID | None, since: datetime | None, after: Place, limit: int
) -> Sequence[rows.Row]:
    """Entries of the journal, session by session; of one session, or since a moment.

    What the relay has yet to publish is left out, and what follows it in its session: that comes by itself.
    """
    return await connection.fetch(_ENTRIES, session_id, since, *after, limit)


async def mark_published(connection: Raw, positions: Sequence[int]) -> None:
    """The broker has confirmed these."""
    await connection.execute(_MARK, list(positions))


async def lag(connection: Raw) -> tuple[int, float]:
    """How many entries wait to be published, at most `MOST_COUNTED`, and for how many seconds the oldest has."""
    [row] = await connection.fetch(_LAG, MOST_COUNTED)
    return row["rows"], row["seconds"]


async def purge(connection: Raw, *, published: timedelta, answers: timedelta, limit: int) -> bool:
    """Forget what nobody will ask for, `limit` rows of a table; whether there may be more. The journal is for ever."""
    gone = (
        await connection.fetch(_PURGE_PUBLISHED, published, limit),
        await connection.fetch(_PURGE_NOTICES, limit),
        await connection.fetch(_PURGE_ANSWERS, answers, limit),
    )
    return any(row["rows"] >= limit for [row] in gone)
