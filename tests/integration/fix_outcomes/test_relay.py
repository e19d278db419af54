"""The relay on the real broker and database: every entry is told, in order, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractIncomingMessage
from fix_outcomes import relay as relay_module
from fix_outcomes.handlers import Checkpoint
from fix_outcomes.relay import Relay
from fix_outcomes.storage import outbox
from fix_outcomes.storage.database import connect
from fix_outcomes_desk import Desk, Pause, no_checkpoint
from fix_outcomes_doubles import add_message, confirm_fact, create_session, outcome_of, suggest_fix
from patience import eventually
from places import Broker, Database
from proxy import Proxy, proxy_to
from shared.contracts import topology
from shared.contracts.events import CloudEvent, StateChanges, name_of, routing_key
from shared.contracts.vocabulary import Service
from shared.publisher import Publisher

pytestmark = pytest.mark.timeout(60)


class Subscriber:
    """A queue of its own on `rf.events`, as a PSA tool has it; and what note-generator is told."""

    def __init__(self) -> None:
        self.events: list[CloudEvent] = []
        self.raw: list[AbstractIncomingMessage] = []
        self.changes: list[StateChanges] = []

    async def hear(self, message: AbstractIncomingMessage) -> None:
        self.raw.append(message)
        self.events.append(CloudEvent.model_validate_json(message.body))

    async def hear_change(self, message: AbstractIncomingMessage) -> None:
        self.changes.append(StateChanges.model_validate_json(message.body))

    def sequences(self, session_id: UUID) -> list[int]:
        """In the order of arrival, repeats and all."""
        return [
            int(event.sequence or 0) for event in self.events if event.data["session_id"] == str(session_id)
        ]

    def first_times(self, session_id: UUID) -> list[int]:
        return list(dict.fromkeys(self.sequences(session_id)))

    def versions_told(self, session_id: UUID) -> list[int]:
        return [
            change.state_version
            for message in self.changes
            for change in message.changes
            if change.session_id == session_id
        ]


@pytest.fixture
async def subscriber(broker: Broker) -> AsyncIterator[Subscriber]:
    subscriber = Subscriber()
    connection = await aio_pika.connect(broker.admin_url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=500)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(topology.EVENTS, routing_key="#")
        await queue.consume(subscriber.hear, no_ack=True)
        changes = await channel.declare_queue(exclusive=True)
        await changes.bind(topology.CHANGES, routing_key=topology.NOTE_GENERATOR_STATE_CHANGES.key)
        await changes.consume(subscriber.hear_change, no_ack=True)
        yield subscriber


@pytest.fixture(autouse=True)
async def quick(monkeypatch: pytest.MonkeyPatch, owner: Any) -> None:
    """A relay that waits little; and nothing left over by the test before."""
    monkeypatch.setattr(relay_module, "_STANDBY_S", 0.02)
    await owner.execute("delete from outbox")


class Relays:
    """Relays that run until the test ends; each under a name of its own in the database."""

    def __init__(self, stack: AsyncExitStack, broker: Broker, database: Database) -> None:
        self._stack, self._broker, self._database = stack, broker, database

    async def start(
        self,
        name: str = "relay",
        *,
        through: Proxy | None = None,
        checkpoint: Checkpoint = no_checkpoint,
        keep: timedelta = timedelta(hours=1),
        poll_s: float = 0.02,
    ) -> Relay:
        url = self._broker.url(Service.FIX_OUTCOMES)
        publisher = Publisher(
            url=through.url(url) if through else url,
            service=Service.FIX_OUTCOMES,
            replica=name,
            purpose="relays",
        )
        engine = connect(self._database.relay_url, name=name, connections=1)
        relay = Relay(
            engine=engine,
            publisher=publisher,
            checkpoint=checkpoint,
            poll_s=poll_s,
            keep_published=keep,
            keep_answers=keep,
        )
        await publisher.start()
        running = asyncio.create_task(relay.run())
        self._stack.push_async_callback(engine.dispose)
        self._stack.push_async_callback(publisher.stop)
        self._stack.push_async_callback(_cancelled, running)
        return relay

    @asynccontextmanager
    async def others(self) -> AsyncIterator["Relays"]:
        """Relays that end earlier."""
        async with AsyncExitStack() as stack:
            yield Relays(stack, self._broker, self._database)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def relays(broker: Broker, database: Database) -> AsyncIterator[Relays]:
    async with AsyncExitStack() as stack:
        yield Relays(stack, broker, database)


async def told(subscriber: Subscriber, *sessions: tuple[UUID, int]) -> None:
    """Waits until all of the entries of these sessions have arrived, then checks their order."""

    await eventually(
        lambda: all(len(subscriber.first_times(session)) >= count for session, count in sessions)
    )
    for session, count in sessions:
        assert subscriber.first_times(session) == list(range(1, count + 1))


async def unmarked(owner: Any) -> int:
    count: int = await owner.fetchval("select count(*) from outbox where published_at is null")
    return count


async def all_marked(owner: Any) -> None:
    async def done() -> bool:
        return await unmarked(owner) == 0

    await eventually(done)


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


async def leaders(owner: Any) -> list[Any]:
    """Who holds the relay's lock in this database."""
    found: list[Any] = await owner.fetch(
        "select pid, application_name from pg_locks join pg_stat_activity using (pid)"
        " where locktype = 'advisory' and granted and datname = current_database()"
    )
    return found


async def wait_for_leader(owner: Any) -> list[Any]:
    await eventually(lambda: leaders(owner))
    return await leaders(owner)


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
                await eventually(lambda seen=100 * round_: len(subscriber.first_times(session)) > seen)  # type: ignore[misc]
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


@asynccontextmanager
async def full_queue(broker: Broker, account: UUID) -> AsyncIterator[Callable[[], Any]]:
    """A queue on the account's events that is full and refuses what comes; call the result to be rid of it."""
    connection = await aio_pika.connect(broker.admin_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(
            exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"}
        )
        await channel.default_exchange.publish(aio_pika.Message(b"full"), routing_key=queue.name)
        await queue.bind(topology.EVENTS, routing_key=f"{account}.#")
        yield lambda: queue.delete(if_unused=False, if_empty=False)


class TestCrashes:
    @pytest.mark.parametrize("crashes", [1, 3])
    async def test_killed_between_confirm_and_mark_it_tells_again_under_the_same_ids_and_loses_nothing(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any, crashes: int
    ) -> None:
        session = await desk.open_session()
        await desk.send(*(desk.command(add_message(session)) for _ in range(10)))
        left = crashes
        unmarked_at_crash = []

        async def crash(name: str) -> None:
            nonlocal left
            assert name == "relay: after confirm, before mark"
            if left:
                left -= 1
                unmarked_at_crash.append(await unmarked(owner))
                raise ConnectionResetError("killed")

        await relays.start(checkpoint=crash)
        await told(subscriber, (session, 11))
        await all_marked(owner)

        assert unmarked_at_crash == [11] * crashes
        assert subscriber.sequences(session) == list(range(1, 12)) * (crashes + 1)
        by_id: dict[str, set[bytes]] = {}
        for event, message in zip(subscriber.events, subscriber.raw, strict=True):
            by_id.setdefault(event.id, set()).add(message.body)
        assert len(by_id) == 11
        assert all(len(bodies) == 1 for bodies in by_id.values())


class TestPurging:
    async def test_what_was_published_and_what_was_answered_long_ago_is_forgotten_the_journal_never(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(relay_module, "PURGE_EVERY_S", 0.05)
        old, new = await desk.open_session(), await desk.open_session()
        later = desk.command(suggest_fix(new))
        await owner.execute(
            "insert into outbox (session_id, sequence, published_at) values ($1, 99, now() - interval '2 hours')",
            old,
        )
        await owner.execute(
            "update command_log set decided_at = now() - interval '2 hours' where command_id = $1", old
        )
        await desk.send(later)

        await relays.start(keep=timedelta(hours=1))

        async def purged() -> bool:
            count = await owner.fetchval("select count(*) from command_log where command_id = $1", old)
            return bool(count == 0)

        await eventually(purged)
        await all_marked(owner)
        kept = await owner.fetch("select session_id, sequence from outbox order by position")
        assert [tuple(row) for row in kept] == [(old, 1), (new, 1), (new, 2)]
        assert (
            await owner.fetchval("select count(*) from command_log where account_id = $1", desk.account) == 2
        )
        assert await owner.fetchval("select count(*) from journal where account_id = $1", desk.account) == 3

    async def test_what_waits_to_be_published_is_never_purged_however_old(
        self, desk: Desk, owner: Any, database: Database
    ) -> None:
        session = await desk.open_session()
        connection = await asyncpg.connect(database.relay_url)
        await outbox.purge(connection, published=timedelta(0), answers=timedelta(days=1))
        await connection.close()
        found = await owner.fetch("select sequence from outbox where session_id = $1", session)
        assert [row["sequence"] for row in found] == [1]


async def test_the_metrics_say_how_much_waits_and_for_how_long(
    desk: Desk, database: Database, owner: Any
) -> None:
    await desk.send(*(desk.command(create_session()) for _ in range(4)))
    await owner.execute(
        "update journal set at = now() - interval '1 hour' where account_id = $1", desk.account
    )
    connection = await asyncpg.connect(database.relay_url)
    waiting, seconds = await outbox.lag(connection)
    await connection.close()
    assert waiting == 4
    assert 3_600 <= seconds < 4_000
