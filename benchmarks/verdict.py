"""No figure without a clean record: what the stack answered under load is what it holds afterwards.

Judged by the fault tests' own checker, by those of its invariants that need no client's history: wrk keeps none.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from devstack.stack import Stack
from faults.checker import check
from faults.history import History
from faults.invariants.catalogue import INVARIANTS
from faults.invariants.evidence import Evidence
from faults.record import Addresses, Record, drained

_DRAIN_S = 30

JUDGED: Final = ("S4", "S5", "S8", "S13", "L2")


def judge(stack: Stack, account: UUID, *, answered: int, report: Callable[[str], None]) -> int:
    """0 where all agrees. `answered`: how many PATCHes were answered 2xx in the runs that were counted."""
    servers = stack.servers
    at = Addresses(servers.database_url, servers.amqp_url, servers.redis_url)
    return asyncio.run(_judge(at, str(account), answered, report))


async def _judge(at: Addresses, account: str, answered: int, report: Callable[[str], None]) -> int:
    record = await _at_rest(at, account)
    history = History("", {account: ""}, attempts=(), faults=(), parked=())
    evidence = Evidence(history=history, record=record, events=(), wants_faults=False)
    verdict = check(evidence, {name: INVARIANTS[name] for name in JUDGED})
    recorded = sum(row["kind"] == "fix.outcome_recorded" for row in record.tables["journal"])
    missing = max(answered - recorded, 0)
    report(
        f"\nverdict: {recorded:,} outcomes in the journal for {answered:,} counted answers (and the warm-up's)"
    )
    report("\n".join([f"{missing} answers that are not in the journal", *map(str, verdict.verdicts)]))
    return 0 if verdict.clean and not missing else 1


async def _at_rest(at: Addresses, account: str) -> Record:
    """The record once nothing is queued and everything published, or as it is when that takes too long."""
    deadline = time.monotonic() + _DRAIN_S
    while True:
        queued, record = not await drained(at.amqp_url), await Record.take(at, [account])
        published = all(row["published"] for row in record.tables["outbox"])
        if (published and not queued) or time.monotonic() > deadline:
            return record
        await asyncio.sleep(1)
