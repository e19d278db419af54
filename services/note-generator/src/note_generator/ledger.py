"""What the model cost each account on each day, and whether it may cost more.

In Redis, and in this process too: while Redis is away the replica's own sums hold the budget.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.contracts.cache import calls_key, ledger_key
from shared.contracts.views import NoteUsage
from shared.logs import logger

from note_generator.cache import NoteCache
from note_generator.outage import CacheAway

log = logger(__name__)

_MICRO: Final = 1_000_000
_DAYS_MS: Final = 40 * 24 * 3_600_000
_CALLS_KEPT: Final = 10_000

_RESERVE: Final = """
local spent = tonumber(redis.call('HGET', KEYS[1], 'micro_usd') or '0')
if tonumber(ARGV[2]) >= 0 and spent + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return -1 end
redis.call('HINCRBY', KEYS[1], 'micro_usd', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return spent
"""

_SETTLE: Final = """
for i = 1, #ARGV - 3, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[#ARGV])
redis.call('LPUSH', KEYS[2], ARGV[#ARGV - 2])
redis.call('LTRIM', KEYS[2], 0, ARGV[#ARGV - 1])
redis.call('PEXPIRE', KEYS[2], ARGV[#ARGV])
return 1
"""


_READ: Final = "return {redis.call('HGETALL', KEYS[1]), redis.call('LRANGE', KEYS[2], 0, ARGV[1])}"


class OverBudget(Exception):
    """The account has no money left for this call today."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money set aside for one call. `warnings`: what the engineer should know of the budget."""

    account_id: UUID
    day: str
    micro_usd: int
    warnings: tuple[str, ...] = ()


async def entries(cache: NoteCache, account_id: UUID, day: str, *, calls: int) -> dict[str, Any]:
    """What the calls of a day took, and the newest of them. Raises `CacheAway`."""
    keys = [ledger_key(account_id, day), calls_key(account_id, day)]
    sums, newest = await cache.run(_READ, keys, [calls - 1])
    by_name = dict(zip(sums[::2], map(int, sums[1::2]), strict=True))
    return {
        "account": str(account_id),
        "day": day,
        "usd": by_name.pop("micro_usd", 0) / _MICRO,
        **by_name,
        "newest": [json.loads(call) for call in newest],
    }


class Ledger:
    """Reserve before a call, settle after it: calls that run side by side cannot overdraw together."""

    def __init__(self, *, cache: NoteCache, budget_usd: float | None, clock: Callable[[], datetime]) -> None:
        self._cache, self._clock = cache, clock
        self._budget = -1 if budget_usd is None else round(budget_usd * _MICRO)
        self._own: dict[tuple[UUID, str], int] = {}

    async def reserve(self, account_id: UUID, most_usd: float) -> Reservation:
        """Set aside what a call may cost. Raises `OverBudget`."""
        day, most = f"{self._clock():%Y-%m-%d}", max(round(most_usd * _MICRO), 1)
        try:
            spent = int(
                await self._cache.run(_RESERVE, [ledger_key(account_id, day)], [most, self._budget, _DAYS_MS])
            )
        except CacheAway:
            spent = self._own.get((account_id, day), 0)
            spent = -1 if 0 <= self._budget < spent + most else spent
        if spent < 0:
            raise OverBudget
        self._add(account_id, day, most)
        return Reservation(account_id, day, most, self._warnings(spent))

    async def settle(
        self, reserved: Reservation, *, usage: NoteUsage, outcome: str, latency_s: float
    ) -> None:
        """Replace what was set aside by what it cost, and note the call."""
        micro = round(usage.cost_usd * _MICRO)
        self._add(reserved.account_id, reserved.day, micro - reserved.micro_usd)
        counts: dict[str, int] = {
            "calls": 1,
            f"outcome:{outcome}": 1,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "latency_ms": round(latency_s * 1_000),
            "micro_usd": micro - reserved.micro_usd,
        }
        call = json.dumps({"at": time.time(), "outcome": outcome, **counts, "micro_usd": micro})
        keys = [ledger_key(reserved.account_id, reserved.day), calls_key(reserved.account_id, reserved.day)]
        arguments: list[Any] = [part for item in counts.items() for part in item]
        try:
            await self._cache.run(_SETTLE, keys, [*arguments, call, _CALLS_KEPT - 1, _DAYS_MS])
        except CacheAway:
            log.warning("a call is missing in the ledger", outcome=outcome)

    def _add(self, account_id: UUID, day: str, micro_usd: int) -> None:
        for old in [key for key in self._own if key[1] != day]:
            del self._own[old]
        self._own[account_id, day] = self._own.get((account_id, day), 0) + micro_usd

    def _warnings(self, spent: int) -> tuple[str, ...]:
        if self._budget < 0 or 5 * spent < 4 * self._budget:
            return ()
        return (f"{100 * spent // self._budget} % of today's budget for the model is used",)
