"""One relay leads, and another takes over."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from fix_outcomes import relay as relay_module
from fix_outcomes.storage.database import connect, raw
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message
from patience import eventually
from places import Database
from relays import Relays, Subscriber, all_marked, leaders, told, wait_for_leader
from shared.publisher import Announcement, Publisher

pytestmark = pytest.mark.timeout(60)


class TestOneLeads:
    async def test_of_two_relays_one_leads_and_nothing_is_told_twice(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        for name in ("relay one", "relay two"):
            await relays.start(name)
        session = await desk.open_session()
        for _ in range(20):
            await desk.send(*(desk.command(add_message(session)) for _ in range(5)))
        await told(subscriber, (session, 101))
        await all_marked(owner)
        assert subscriber.sequences(session) == list(range(1, 102))
        assert len(await leaders(owner)) == 1

    async def test_the_other_takes_over_when_the_leader_loses_its_connection(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        for name in ("relay one", "relay two"):
            await relays.start(name)
        session = await desk.open_session()
        await told(subscriber, (session, 1))
        for round_ in range(3):
            await desk.send(*(desk.command(add_message(session)) for _ in range(50)))
            [leader] = await wait_for_leader(owner)
            await owner.execute("select pg_terminate_backend($1)", leader["pid"])
            await told(subscriber, (session, 1 + 50 * (round_ + 1)))
        await all_marked(owner)
        assert len(await wait_for_leader(owner)) == 1

    async def test_a_relay_that_stops_leaves_the_lead_to_the_other(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        async with relays.others() as first:
            await first.start("relay one")
            [leader] = await wait_for_leader(owner)
            assert leader["application_name"] == "relay one"
            await relays.start("relay two")
        session = await desk.open_session()
        await told(subscriber, (session, 1))
        assert [each["application_name"] for each in await leaders(owner)] == ["relay two"]


class TestAFrozenLeader:
    async def test_a_leader_of_which_nothing_is_heard_loses_the_lead_to_another_and_comes_back_as_its_standby(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(relay_module, "IDLE_S", 1)
        frozen = await relays.start("frozen", poll_s=3_600)
        await wait_for_leader(owner)
        monkeypatch.setattr(relay_module, "IDLE_S", 60)
        await relays.start("relay two")

        async def led_by_another() -> bool:
            return [each["application_name"] for each in await leaders(owner)] == ["relay two"]

        await eventually(led_by_another)
        session = await desk.open_session()
        await told(subscriber, (session, 1))
        frozen.wake()
        await eventually(lambda: waits(owner, "frozen"))
        await desk.ask(add_message(session))
        await told(subscriber, (session, 2))
        assert await led_by_another()

    async def test_a_leader_whom_a_slow_broker_keeps_stays_the_leader(
        self, desk: Desk, relays: Relays, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A batch of one session takes longer than a connection may be idle."""
        announce = Publisher.announce

        async def slowly(publisher: Publisher, messages: Sequence[Announcement]) -> list[bool]:
            await asyncio.sleep(0.5)
            return await announce(publisher, messages)

        monkeypatch.setattr(Publisher, "announce", slowly)
        monkeypatch.setattr(relay_module, "IDLE_S", 3)
        monkeypatch.setattr(relay_module, "_TOUCH_EVERY_S", 0.0)
        session = await desk.open_session()
        await desk.send(*(desk.command(add_message(session)) for _ in range(9)))
        await relays.start()
        before = await wait_for_leader(owner)
        await all_marked(owner)
        assert await leaders(owner) == before

    async def test_a_client_that_vanished_is_noticed_within_a_minute_and_one_that_rests_is_left_alone(
        self, database: Database
    ) -> None:
        engine = connect(database.runtime_url, name="settings", connections=1)
        async with raw(engine) as connection:
            shown = await connection.fetch(
                "select name, setting::int from pg_settings where name = any ($1)", [*KEPT]
            )
        await engine.dispose()
        assert {row["name"]: row["setting"] for row in shown} == KEPT


KEPT = {
    "idle_session_timeout": 0,
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


async def waits(owner: Any, name: str) -> bool:
    """Whether this relay asks for the lead."""
    asked = await owner.fetchval(
        "select count(*) from pg_stat_activity where application_name = $1 and query like '%pg_try_advisory_lock%'",
        name,
    )
    return bool(asked)
