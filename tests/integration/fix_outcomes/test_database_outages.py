"""Which failures are an outage: real ones, made on a Postgres that is ours to break."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from devstack.binaries import NotInstalledError
from devstack.database import with_path
from devstack.servers import Servers, start_servers
from devstack.services import with_login
from fix_outcomes import handlers
from fix_outcomes.storage.commands import WRITE
from fix_outcomes.storage.database import connect, is_outage, raw_transaction, reading, understands
from fix_outcomes_desk import Desk, Pause
from fix_outcomes_doubles import add_message, create_session
from places import Database, administer, own_database
from shared.contracts.queries import GetSession, Query
from shared.ids import new_id
from sqlalchemy import text


@pytest.fixture(scope="module")
def postgres(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A Postgres of our own; the other servers are borrowed, and not touched."""
    borrowed = {
        "RF_AMQP_URL": servers.amqp_url,
        "RF_RABBITMQ_API_URL": servers.rabbitmq_api_url,
        "RF_REDIS_URL": servers.redis_url,
    }
    try:
        started = start_servers(tmp_path_factory.mktemp("postgres"), environment=borrowed)
    except NotInstalledError as error:
        pytest.skip(str(error))
    with started:
        yield started


@pytest.fixture(scope="module")
async def database(postgres: Servers) -> AsyncIterator[Database]:
    async with own_database(postgres) as database:
        yield database


async def failure_of(work: Any) -> BaseException:
    """What the work raises."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - that is the question
        await work
    return raised.value


async def attempt(url: str) -> None:
    """One transaction on a fresh connection."""
    engine = connect(url, name="attempt", connections=1)
    try:
        async with raw_transaction(engine, [new_id()]) as transaction:
            await transaction.fetch("select 1")
    finally:
        await engine.dispose()


class TestOutages:
    async def test_a_server_that_is_not_there(self, desk: Desk, postgres: Servers) -> None:
        asked = desk.command(create_session())
        await desk.send(asked)
        postgres["postgres"].kill()
        try:
            on_the_old_connection = await failure_of(desk.record(asked))
            on_a_new_connection = await failure_of(desk.record(asked))
            question = Query(ref=1, account_id=desk.account, question=GetSession(session_id=asked.command_id))
            asking = await failure_of(handlers.answer([question], engine=desk.engine))
            assert not await understands(desk.engine, WRITE, timeout_s=5)
        finally:
            postgres["postgres"].start()
            postgres["postgres"].wait_ready()

        assert is_outage(on_the_old_connection)
        assert is_outage(on_a_new_connection)
        assert is_outage(asking)
        assert await understands(desk.engine, WRITE, timeout_s=5)
        [again] = await desk.send(asked)
        assert (again.status, again.replayed) == (201, True)

    async def test_a_server_that_restarts_under_a_transaction(self, desk: Desk, postgres: Servers) -> None:
        session = await desk.open_session()
        pause = Pause("commands: before commit")
        asked = desk.command(add_message(session))
        recording = asyncio.create_task(desk.record(asked, checkpoint=pause))
        await pause.reached.wait()
        postgres["postgres"].restart()
        postgres["postgres"].wait_ready()
        pause.go_on()

        assert is_outage(await failure_of(recording))
        assert (await desk.send(asked))[0].status == 201

    async def test_a_backend_that_is_terminated_in_the_middle_of_a_transaction(
        self, desk: Desk, database: Database
    ) -> None:
        session = await desk.open_session()
        asked = desk.command(add_message(session))

        async def terminate(name: str) -> None:
            if name == "commands: before commit":
                await administer(
                    database.admin_url,
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'tests' and datname = current_database()",
                )

        assert is_outage(await failure_of(desk.record(asked, checkpoint=terminate)))
        assert (await desk.send(asked))[0].status == 201

    async def test_too_many_connections(self, database: Database) -> None:
        name = database.admin_url.rpartition("/")[2]
        await administer(database.admin_url, f"alter database {name} connection limit 0")
        try:
            error = await failure_of(attempt(database.runtime_url))
        finally:
            await administer(database.admin_url, f"alter database {name} connection limit -1")
        assert "too many connections" in str(error)
        assert is_outage(error)

    async def test_a_pool_that_has_no_connection_left(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("fix_outcomes.storage.database._CONNECT_TIMEOUT_S", 0.05)
        engine = connect(database.runtime_url, name="small", connections=1)
        async with raw_transaction(engine, []):
            error = await failure_of(reading(engine, []).__aenter__())
        await engine.dispose()
        assert is_outage(error)

    async def test_a_lock_that_is_not_had_in_time(self, desk: Desk) -> None:
        session = await desk.open_session()
        pause = Pause("commands: before commit")
        holding = asyncio.create_task(desk.record(desk.command(add_message(session)), checkpoint=pause))
        await pause.reached.wait()

        async def want() -> None:
            async with raw_transaction(desk.engine, [desk.account]) as transaction:
                await transaction.execute("set local lock_timeout = '20ms'")
                await transaction.fetch("select * from sessions where id = $1 for update", session)

        error = await failure_of(want())
        pause.go_on()
        await holding
        assert type(error).__name__ == "LockNotAvailableError"
        assert is_outage(error)

    @pytest.mark.parametrize("how", ["cancel", "statement_timeout"])
    async def test_a_statement_that_is_cancelled(self, desk: Desk, database: Database, how: str) -> None:
        async def endless() -> None:
            async with raw_transaction(desk.engine, []) as transaction:
                if how == "statement_timeout":
                    await transaction.execute("set local statement_timeout = '20ms'")
                [row] = await transaction.fetch("select pg_backend_pid() as pid")
                pids.set_result(row["pid"])
                await transaction.fetch("select pg_sleep(60)")

        pids: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        sleeping = asyncio.create_task(endless())
        pid = await pids
        while how == "cancel" and not sleeping.done():
            await administer(
                database.admin_url,
                f"select pg_cancel_backend({pid}) from pg_stat_activity"
                f" where pid = {pid} and query like '%pg_sleep%' and state = 'active'",
            )
        error = await failure_of(sleeping)
        assert type(error).__name__ == "QueryCanceledError"
        assert is_outage(error)

    async def test_a_deadlock(self, desk: Desk) -> None:
        one, two = await desk.open_session(), await desk.open_session()
        both = asyncio.Barrier(2)

        async def lock(first: object, second: object) -> None:
            async with raw_transaction(desk.engine, [desk.account]) as transaction:
                await transaction.fetch("select * from sessions where id = $1 for update", first)
                await both.wait()
                await transaction.fetch("select * from sessions where id = $1 for update", second)

        ended = await asyncio.gather(lock(one, two), lock(two, one), return_exceptions=True)
        errors = [each for each in ended if each is not None]
        assert [type(error).__name__ for error in errors] == ["DeadlockDetectedError"]
        assert is_outage(errors[0])

    async def test_a_login_that_is_refused_is_no_commands_fault(self, database: Database) -> None:
        """Somebody changes a password, or has not yet made the database: nothing is parked for that."""
        wrong_password = with_login(database.runtime_url, "fix_outcomes", "wrong")
        unknown_role = with_login(database.runtime_url, "nobody", "wrong")
        no_database = with_path(database.runtime_url, "/not_there")
        for url in (wrong_password, unknown_role, no_database):
            assert is_outage(await failure_of(attempt(url)))

    def test_a_driver_that_lost_its_place_as_its_connection_broke(self) -> None:
        """Seen now and then when a backend is terminated just as a statement begins."""
        assert is_outage(
            asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
        )

    async def test_a_standby_that_takes_no_writes(self, desk: Desk) -> None:
        async def write() -> None:
            async with raw_transaction(desk.engine, [desk.account]) as transaction:
                await transaction.execute("set transaction read only")
                await transaction.execute("update sessions set title = title")

        assert is_outage(await failure_of(write()))


class TestErrors:
    """Nothing is wrong with the database: the same again would fail again."""

    @pytest.mark.parametrize(
        ("statement", "name"),
        [
            ("insert into messages select * from messages", "UniqueViolationError"),
            ("update sessions set state_version = 0", "CheckViolationError"),
            ("select 1 / 0", "DivisionByZeroError"),
            ("select 'x'::uuid", "InvalidTextRepresentationError"),
            ("select 99999999999::int", "NumericValueOutOfRangeError"),
            ("select nonsense from", "PostgresSyntaxError"),
            (
                "insert into parked_commands values (gen_random_uuid(), gen_random_uuid(), 'another account', now())",
                "InsufficientPrivilegeError",
            ),
        ],
    )
    async def test_what_the_server_refuses_is_no_outage(self, desk: Desk, statement: str, name: str) -> None:
        await desk.ask(add_message(await desk.open_session()))

        async def run() -> None:
            async with raw_transaction(desk.engine, [desk.account]) as transaction:
                await transaction.execute(statement)

        error = await failure_of(run())
        assert type(error).__name__ == name
        assert not is_outage(error)

    async def test_the_same_through_sqlalchemy_is_no_outage(self, desk: Desk) -> None:
        async def run() -> None:
            async with reading(desk.engine, [desk.account]) as connection:
                await connection.execute(text("select 1 / 0"))

        assert not is_outage(await failure_of(run()))

    async def test_what_the_driver_itself_refuses_to_send_is_no_outage(self, desk: Desk) -> None:
        async def raw() -> None:
            async with raw_transaction(desk.engine, [desk.account]) as transaction:
                await transaction.fetch("select $1::int", 1 << 40)

        async def wrapped() -> None:
            async with reading(desk.engine, [desk.account]) as connection:
                await connection.execute(text("select cast(:number as integer)"), {"number": 1 << 40})

        assert not is_outage(await failure_of(raw()))
        assert not is_outage(await failure_of(wrapped()))

    @pytest.mark.parametrize("error", [ValueError(), KeyError(), AssertionError(), asyncio.CancelledError()])
    def test_a_mistake_in_the_code_is_no_outage(self, error: BaseException) -> None:
        assert not is_outage(error)
