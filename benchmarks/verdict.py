"""No figure without a clean record: what the stack answered under load is what it holds afterwards."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import asyncpg
from devstack.stack import Stack

_DRAIN_S = 30

_CHECKS = {
    "sessions whose sequences have a gap": """
        select count(*) from (select session_id from journal where account_id = $1 group by session_id
                              having count(*) <> max(sequence) or min(sequence) <> 1) broken""",
    "sessions that are not at their last entry": """
        select count(*) from sessions s where account_id = $1
        and (sequence, state_version) is distinct from
            (select (sequence, state_version) from journal j where j.session_id = s.id order by sequence desc limit 1)
        """,
    "entries without an answer in the command log": """
        select count(*) from journal j where account_id = $1
        and not exists (select from command_log l where l.command_id = j.command_id)""",
    "entries without an outbox row": """
        select count(*) from journal j where account_id = $1
        and not exists (select from outbox o where (o.session_id, o.sequence) = (j.session_id, j.sequence))""",
}


def judge(stack: Stack, account: UUID, *, answered: int, report: Callable[[str], None]) -> int:
    """0 where all agrees. `answered`: how many PATCHes were answered 2xx in the runs that were counted."""
    return asyncio.run(_judge(stack.servers.database_url, account, answered, report))


async def _judge(url: str, account: UUID, answered: int, report: Callable[[str], None]) -> int:
    connection = await asyncpg.connect(url)
    try:
        unpublished = await _drained(connection)
        recorded = await connection.fetchval(
            "select count(*) from journal where account_id = $1 and kind = 'fix.outcome_recorded'", account
        )
        wrong = {name: await connection.fetchval(query, account) for name, query in _CHECKS.items()}
    finally:
        await connection.close()
    wrong["events that were not published"] = unpublished
    wrong["answers that are not in the journal"] = max(answered - recorded, 0)
    report(
        f"\nverdict: {recorded:,} outcomes in the journal for {answered:,} counted answers (and the warm-up's)"
    )
    for name, count in wrong.items():
        report(f"  {count:>4} {name}")
    return 1 if any(wrong.values()) else 0


async def _drained(connection: asyncpg.Connection) -> int:
    deadline = time.monotonic() + _DRAIN_S
    while True:
        waiting: int = await connection.fetchval("select count(*) from outbox where published_at is null")
        if waiting == 0 or time.monotonic() > deadline:
            return waiting
        await asyncio.sleep(0.2)
