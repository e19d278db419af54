"""One relay leads, and another takes over."""

from typing import Any

import pytest
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message
from relays import Relays, Subscriber, all_marked, leaders, told, wait_for_leader

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
