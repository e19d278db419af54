"""The relay on the real broker and database: every entry is told, in order, whatever happens in between."""

import asyncio
from typing import Any

import aio_pika
import pytest
from fix_outcomes import relay as relay_module
from fix_outcomes_desk import Desk, Pause
from fix_outcomes_doubles import add_message, confirm_fact, outcome_of
from patience import eventually
from relays import Relays, Subscriber, all_marked, told
from shared.contracts.events import name_of, routing_key

pytestmark = pytest.mark.timeout(60)


class TestTelling:
    async def test_every_entry_reaches_a_subscriber_as_the_event_that_it_is(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        await relays.start()
        session = await desk.open_session()
        fix = await desk.suggest(session)
        await desk.ask(outcome_of(session, fix, "applied_pending", "bis 18 Uhr ✓"))

        await told(subscriber, (session, 3))
        await all_marked(owner)

        for event, message in zip(subscriber.events, subscriber.raw, strict=True):
            assert message.routing_key == routing_key(desk.account, session, name_of(event.type))
            assert (message.message_id, message.user_id) == (event.id, "fix-outcomes")
            assert message.content_type == "application/cloudevents+json"
            assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
        last = subscriber.events[-1]
        assert last.subject == f"suggested-fixes/{fix}"
        assert last.data["pending_reason"] == "bis 18 Uhr ✓"
        assert last.id == f"{session}/3"

    async def test_what_was_entered_before_it_started_is_told_too(
        self, desk: Desk, relays: Relays, subscriber: Subscriber
    ) -> None:
        session = await desk.open_session()
        await desk.send(*(desk.command(add_message(session)) for _ in range(20)))
        await relays.start()
        await told(subscriber, (session, 21))

    async def test_a_hot_session_among_cold_ones_is_told_in_order_and_holds_nobody_up(
        self, desk: Desk, other_desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        hot = await desk.open_session()
        cold = [await other_desk.open_session() for _ in range(10)]
        await relays.start()
        for number in range(5):
            await desk.send(
                *(desk.command(add_message(hot)) for _ in range(60)),
                desk.command(confirm_fact(hot)),
            )
            await other_desk.ask(add_message(cold[number]))

        await told(subscriber, (hot, 1 + 5 * 61), *((session, 2) for session in cold[:5]))
        await all_marked(owner)
        assert len({event.id for event in subscriber.events}) == 1 + 5 * 61 + 10 + 5

    async def test_more_than_a_batch_of_the_relay_is_told_in_order(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        session = await desk.open_session()
        count = relay_module.BATCH * 2
        for _ in range(count // 128):
            await desk.send(*(desk.command(add_message(session)) for _ in range(128)))
        await relays.start()
        await told(subscriber, (session, count + 1))
        await all_marked(owner)

    async def test_a_commit_that_comes_late_is_told_although_later_ones_were_told_before(
        self, desk: Desk, relays: Relays, subscriber: Subscriber
    ) -> None:
        """Positions are drawn before the commit: one that is lower may become visible later."""
        slow, quick = await desk.open_session(), await desk.open_session()
        await relays.start()
        pause = Pause("commands: before commit")
        holding = asyncio.create_task(desk.record(desk.command(add_message(slow)), checkpoint=pause))
        await pause.reached.wait()
        await desk.ask(add_message(quick))
        await told(subscriber, (quick, 2))
        pause.go_on()
        await holding
        await told(subscriber, (slow, 2))

    async def test_note_generator_is_told_the_newest_version_of_every_session(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any
    ) -> None:
        one, two = await desk.open_session(), await desk.open_session()
        await desk.send(*(desk.command(add_message(one)) for _ in range(9)))
        await relays.start()
        await all_marked(owner)

        await eventually(lambda: subscriber.versions_told(one) and subscriber.versions_told(two))
        assert subscriber.versions_told(one)[-1] == 10
        assert subscriber.versions_told(two)[-1] == 1
        for message in subscriber.changes:
            sessions = [change.session_id for change in message.changes]
            assert len(set(sessions)) == len(sessions)

    async def test_a_wake_is_enough_without_the_next_look(
        self, desk: Desk, relays: Relays, subscriber: Subscriber
    ) -> None:
        relay = await relays.start(poll_s=3_600)
        for _ in range(10):
            session = await desk.open_session()
            relay.wake()
            await told(subscriber, (session, 1))
