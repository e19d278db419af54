"""The relay while the broker or the database is away, or a queue refuses."""

from typing import Any
from uuid import UUID

import pytest
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message, create_session
from patience import eventually
from places import Broker
from proxy import proxy_to
from relays import Relays, Subscriber, all_marked, full_queue, told, unmarked
from shared.contracts.vocabulary import Service

pytestmark = pytest.mark.timeout(60)


async def told_more_than(subscriber: Subscriber, session: UUID, count: int) -> None:
    await eventually(lambda: len(subscriber.first_times(session)) > count)


class TestOutages:
    async def test_while_the_broker_is_away_nothing_is_marked_and_all_is_told_when_it_is_back(
        self, desk: Desk, broker: Broker, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        async with proxy_to(broker.url(Service.FIX_OUTCOMES)) as link:
            await relays.start(through=link)
            session = await desk.open_session()
            await told(subscriber, (session, 1))
            await all_marked(owner)
            port, link._port = link._port, 1
            await link.cut()

            await desk.send(*(desk.command(add_message(session)) for _ in range(30)))
            attempts = link.connections
            await eventually(lambda: link.connections > attempts + 1)
            assert await unmarked(owner) == 30
            assert subscriber.first_times(session) == [1]

            link._port = port
            await told(subscriber, (session, 31))
            await all_marked(owner)

    async def test_what_was_told_without_a_confirm_is_told_again_and_in_order(
        self, desk: Desk, broker: Broker, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        """The link is cut at random moments while the relay is at work."""
        async with proxy_to(broker.url(Service.FIX_OUTCOMES)) as link:
            await relays.start(through=link)
            session = await desk.open_session()
            for round_ in range(3):
                await desk.send(*(desk.command(add_message(session)) for _ in range(100)))
                await told_more_than(subscriber, session, 100 * round_)
                await link.cut()
            await told(subscriber, (session, 301))
            await all_marked(owner)

    async def test_an_event_that_a_queue_refuses_is_not_marked_and_not_overtaken(
        self, desk: Desk, broker: Broker, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        session = await desk.open_session()
        await desk.send(*(desk.command(add_message(session)) for _ in range(5)))
        async with full_queue(broker, desk.account) as free:
            await relays.start()
            await eventually(lambda: len(subscriber.sequences(session)) >= 2)
            assert await unmarked(owner) == 6
            assert set(subscriber.sequences(session)) == {1}
            await free()
            await told(subscriber, (session, 6))
            await all_marked(owner)

    async def test_an_account_whose_queue_refuses_everything_holds_no_other_account_up(
        self, desk: Desk, other_desk: Desk, broker: Broker, relays: Relays, subscriber: Subscriber
    ) -> None:
        """However much of it waits: more than the relay looks at in one go."""
        for _ in range(3):
            await desk.send(*(desk.command(create_session()) for _ in range(128)))
        theirs = await other_desk.open_session()
        async with full_queue(broker, desk.account):
            await relays.start()
            await told(subscriber, (theirs, 1))

    async def test_a_database_that_breaks_the_connection_is_waited_out(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        await relays.start()
        session = await desk.open_session()
        for sent in range(1, 6):
            await owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'relay' and datname = current_database()"
            )
            await desk.ask(add_message(session))
            await told(subscriber, (session, 1 + sent))
