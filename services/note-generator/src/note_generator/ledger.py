"""What the model cost each account on each day, and whether it may cost more.

In Redis, and in this process too: the replica's own sums hold the budget where Redis is away, or forgot.
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
local sum = tonumber(redis.call('HGET', KEYS[1], 'micro_usd') or '0')
local spent, most, budget = math.max(sum, tonumber(ARGV[1])), tonumber(ARGV[2]), tonumber(ARGV[3])
if budget >= 0 and spent + most > budget then return {0, spent} end
redis.call('HSET', KEYS[1], 'micro_usd', math.max(sum, 0) + most)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {1, spent}
"""
"""The replica's own sum decides and is not stored: what another call of it settles meanwhile would count again."""

_SETTLE: Final = """
local sum = tonumber(redis.call('HGET', KEYS[1], 'micro_usd') or '0')
redis.call('HSET', KEYS[1], 'micro_usd', math.max(sum - tonumber(ARGV[1]), 0) + tonumber(ARGV[2]))
for i = 6, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('LPUSH', KEYS[2], ARGV[3])
redis.call('LTRIM', KEYS[2], 0, ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
"""
"""What was reserved may have been forgotten since; what it cost is true all the same."""

_READ: Final = "return {redis.call('HGETALL', KEYS[1]), redis.call('LRANGE', KEYS[2], 0, ARGV[1])}"


class OverBudget(Exception):
    """The account has no money left for this call today."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money set aside for one call. `warnings`: what the engineer should know of the budget."""

    account_id: UUID
    day: str
    micro_usd: int
    in_redis: bool
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
        self._forget_before(day)
        own, granted, in_redis = self._own.get((account_id, day), 0), False, True
        # Before Redis is asked: calls that run side by side count in one another's own sums.
        self._own[account_id, day] = own + most
        try:
            keys, arguments = [ledger_key(account_id, day)], [own, most, self._budget, _DAYS_MS]
            granted, spent = await self._cache.run(_RESERVE, keys, arguments)
        except CacheAway:
            granted, spent, in_redis = not 0 <= self._budget < own + most, own, False
        finally:
            if not granted:
                self._replace(account_id, day, most, 0)
        if not granted:
            raise OverBudget
        return Reservation(account_id, day, most, in_redis, self._warnings(spent))

    async def settle(
        self, reserved: Reservation, *, usage: NoteUsage, outcome: str, latency_s: float
    ) -> None:
        """Replace what was set aside by what it cost, and note the call."""
        micro = round(usage.cost_usd * _MICRO)
        self._replace(reserved.account_id, reserved.day, reserved.micro_usd, micro)
        counts: dict[str, int] = {
            "calls": 1,
            f"outcome:{outcome}": 1,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "latency_ms": round(latency_s * 1_000),
        }
        call = json.dumps({"at": time.time(), "outcome": outcome, **counts, "micro_usd": micro})
        keys = [ledger_key(reserved.account_id, reserved.day), calls_key(reserved.account_id, reserved.day)]
        replaced = [reserved.micro_usd if reserved.in_redis else 0, micro]
        counted: list[Any] = [part for item in counts.items() for part in item]
        try:
            await self._cache.run(_SETTLE, keys, [*replaced, call, _CALLS_KEPT - 1, _DAYS_MS, *counted])
        except CacheAway:
            log.warning("a call is missing in the ledger", outcome=outcome)

    def _replace(self, account_id: UUID, day: str, reserved: int, cost: int) -> None:
        """In the own sum. Of a day that is forgotten already it brings back no more than its cost."""
        own = self._own.get((account_id, day), 0)
        self._own[account_id, day] = max(own - reserved, 0) + cost

    def _forget_before(self, day: str) -> None:
        for old in [key for key in self._own if key[1] < day]:
            del self._own[old]

    def _warnings(self, spent: int) -> tuple[str, ...]:
        if self._budget < 0 or 5 * spent < 4 * self._budget:
            return ()
        return (f"{100 * spent // self._budget} % of today's budget for the model is used",)
