"""A relay that dies between confirm and mark; and what it forgets in time."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from fix_outcomes import relay as relay_module
from fix_outcomes.storage import outbox
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import add_message, create_session, suggest_fix
from patience import eventually
from places import Database
from relays import Relays, Subscriber, all_marked, leaders, told, unmarked, wait_for_leader

pytestmark = pytest.mark.timeout(60)


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
        await outbox.purge(connection, published=timedelta(0), answers=timedelta(days=1), limit=100)
        await connection.close()
        found = await owner.fetch("select sequence from outbox where session_id = $1", session)
        assert [row["sequence"] for row in found] == [1]

    async def test_what_is_forgotten_goes_a_bounded_number_of_rows_at_a_time(
        self, desk: Desk, owner: Any, database: Database
    ) -> None:
        await desk.send(*(desk.command(create_session()) for _ in range(5)))
        await owner.execute("update outbox set published_at = now() - interval '2 hours'")
        await owner.execute("update command_log set decided_at = now() - interval '2 hours'")
        hour = timedelta(hours=1)
        connection = await asyncpg.connect(database.relay_url)

        left = []
        while await outbox.purge(connection, published=hour, answers=hour, limit=2):
            left.append(await owner.fetchval("select count(*) from outbox"))
        await connection.close()

        assert left[:2] == [3, 1]
        assert await owner.fetchval("select count(*) from outbox") == 0
        assert await owner.fetchval("select count(*) from command_log") == 0

    async def test_a_purge_that_fails_costs_no_leadership_and_holds_no_event_up(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failed = 0

        async def too_long(*_: Any, **__: Any) -> bool:
            nonlocal failed
            failed += 1
            raise TimeoutError

        monkeypatch.setattr(relay_module, "PURGE_EVERY_S", 0.02)
        monkeypatch.setattr(outbox, "purge", too_long)
        await relays.start()
        before = await wait_for_leader(owner)
        session = await desk.open_session()

        await told(subscriber, (session, 1))
        await eventually(lambda: failed > 3)
        assert await leaders(owner) == before


class TestMeasuring:
    async def test_leadership_that_changes_hands_measures_nothing_more_often(
        self, desk: Desk, relays: Relays, subscriber: Subscriber, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        measured = 0

        async def lag(_: Any) -> tuple[int, float]:
            nonlocal measured
            measured += 1
            return 0, 0.0

        monkeypatch.setattr(relay_module, "_LAG_EVERY_S", 3_600)
        monkeypatch.setattr(outbox, "lag", lag)
        await relays.start()
        session = await desk.open_session()
        for sent in range(1, 3):
            [leader] = await wait_for_leader(owner)
            await owner.execute("select pg_terminate_backend($1)", leader["pid"])
            await desk.ask(add_message(session))
            await told(subscriber, (session, 1 + sent))
        assert measured == 0

    async def test_what_waits_is_not_counted_to_its_end(
        self, desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outbox, "MOST_COUNTED", 3)
        await desk.send(*(desk.command(create_session()) for _ in range(5)))
        connection = await asyncpg.connect(database.relay_url)
        waiting, _ = await outbox.lag(connection)
        await connection.close()
        assert waiting == 3


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
