"""The budget holds, and the sums are true, whatever becomes of Redis meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from devstack.servers import Servers
from note_generator.cache import NoteCache
from note_generator.ledger import Ledger, OverBudget, Reservation, entries
from note_generator.outage import CacheAway
from shared.contracts.cache import ledger_key
from shared.contracts.views import NoteUsage


class Cache(NoteCache):
    """One that is away when a test says so."""

    away = False

    async def run(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        if self.away:
            raise CacheAway
        return await super().run(script, keys, arguments)


@dataclass
class Scene:
    """A day of one account."""

    cache: Cache
    account: UUID = field(default_factory=uuid4)
    now: datetime = datetime(2030, 1, 1, 23, 59, tzinfo=UTC)

    def replica(self, budget_usd: float | None = None) -> Ledger:
        return Ledger(cache=self.cache, budget_usd=budget_usd, clock=lambda: self.now)

    async def settle(self, ledger: Ledger, reserved: Reservation, cost_usd: float) -> None:
        usage = NoteUsage(calls=1, input_tokens=1, output_tokens=1, cost_usd=cost_usd)
        await ledger.settle(reserved, usage=usage, outcome="written", latency_s=0.1)

    async def forget(self) -> None:
        """What FLUSHALL does, to this account."""
        await self.cache.run("return redis.call('DEL', KEYS[1])", [ledger_key(self.account, self.day)], [])

    async def usd(self) -> float:
        """What Redis says of the day."""
        return float((await entries(self.cache, self.account, self.day, calls=1))["usd"])

    @property
    def day(self) -> str:
        return f"{self.now:%Y-%m-%d}"


@pytest.fixture
async def scene(servers: Servers) -> AsyncIterator[Scene]:
    cache = Cache(url=servers.redis_url, timeout_s=0.5, ttl_s=60, lease_s=1)
    yield Scene(cache)
    await cache.close()


async def test_what_was_set_aside_while_redis_was_away_is_told_in_full_afterwards(scene: Scene) -> None:
    ledger = scene.replica()
    before = await ledger.reserve(scene.account, 0.05)
    scene.cache.away = True
    meanwhile = await ledger.reserve(scene.account, 0.05)
    scene.cache.away = False
    await scene.settle(ledger, before, 0.01)
    assert await scene.usd() == pytest.approx(0.01)
    await scene.settle(ledger, meanwhile, 0.02)
    assert await scene.usd() == pytest.approx(0.03)


async def test_without_a_budget_nothing_is_refused_where_redis_forgot_what_was_set_aside(
    scene: Scene,
) -> None:
    ledger = scene.replica()
    reserved = await ledger.reserve(scene.account, 0.05)
    await scene.forget()
    await scene.settle(ledger, reserved, 0.01)
    assert await scene.usd() == pytest.approx(0.01), "no less than what it cost"
    await scene.settle(ledger, await ledger.reserve(scene.account, 0.05), 0.01)
    assert await scene.usd() == pytest.approx(0.02)


async def test_a_replica_does_not_spend_again_what_redis_forgot(scene: Scene) -> None:
    ledger = scene.replica(budget_usd=0.1)
    await scene.settle(ledger, await ledger.reserve(scene.account, 0.09), 0.08)
    await scene.forget()
    with pytest.raises(OverBudget):
        await ledger.reserve(scene.account, 0.03)
    last = await ledger.reserve(scene.account, 0.02)
    assert last.warnings == ("80 % of today's budget for the model is used",)
    assert await scene.usd() == pytest.approx(0.02)


async def test_calls_side_by_side_cannot_overdraw_where_redis_forgot(scene: Scene) -> None:
    ledger = scene.replica(budget_usd=0.1)
    await scene.settle(ledger, await ledger.reserve(scene.account, 0.05), 0.05)
    await scene.forget()
    asked = (ledger.reserve(scene.account, 0.02) for _ in range(4))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in answers].count(Reservation) == 2
    assert [type(each) for each in answers].count(OverBudget) == 2


@pytest.mark.parametrize("away", [True, False])
async def test_what_is_settled_after_midnight_leaves_the_new_day_as_it_is(scene: Scene, away: bool) -> None:
    ledger = scene.replica(budget_usd=0.1)
    yesterday = await ledger.reserve(scene.account, 0.05)
    scene.now += timedelta(minutes=2)
    await ledger.reserve(scene.account, 0.09)
    await scene.settle(ledger, yesterday, 0.01)
    await scene.forget()
    scene.cache.away = away
    with pytest.raises(OverBudget):
        await ledger.reserve(scene.account, 0.02)
    await ledger.reserve(scene.account, 0.01)
