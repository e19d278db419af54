"""How fast an account may ask: a token bucket for each, in this process."""

from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

_ACCOUNTS = 10_000


class Pace:
    """Token buckets. Of more accounts than it holds, the one unseen the longest starts afresh."""

    def __init__(
        self, *, per_s: float, burst: float, now: Callable[[], float], accounts: int = _ACCOUNTS
    ) -> None:
        self._per_s, self._burst, self._now, self._accounts = per_s, burst, now, accounts
        self._buckets: OrderedDict[UUID, tuple[float, float]] = OrderedDict()

    def wait_s(self, account_id: UUID) -> float:
        """0, and one token is taken; or how many seconds to wait for the next."""
        now = self._now()
        tokens, since = self._buckets.pop(account_id, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._per_s)
        wait_s = 0.0 if tokens >= 1 else (1 - tokens) / self._per_s
        self._buckets[account_id] = (tokens - 1 if wait_s == 0 else tokens, now)
        if len(self._buckets) > self._accounts:
            self._buckets.popitem(last=False)
        return wait_s
