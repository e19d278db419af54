"""`topology psa`: a tool reads its own account's events, and the broker refuses it everything else."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractChannel
from aiormq.exceptions import AMQPError, ChannelAccessRefused
from fix_outcomes import psa
from fix_outcomes.__main__ import cli
from fix_outcomes.psa import LIMITS, PsaError, PsaUsers
from places import Broker
from pydantic import SecretStr
from shared.contracts import topology
from shared.contracts.events import routing_key
from shared.contracts.vocabulary import Service
from typer.testing import CliRunner

SESSION = uuid4()
Deed = Callable[[AbstractChannel], Awaitable[object]]


@pytest.fixture
def users(broker: Broker) -> PsaUsers:
    return PsaUsers(SecretStr(broker.api_url), vhost=broker.vhost)


@pytest.fixture
def account(users: PsaUsers) -> UUID:
    return uuid4()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection:
        yield await connection.channel()


def url_of(broker: Broker, account: UUID, password: str) -> str:
    return psa.connection_string(broker.admin_url, account, password)


async def refused(url: str, deed: Deed) -> None:
    async with connected(url) as channel:
        with pytest.raises(ChannelAccessRefused):
            await deed(channel)


async def announce(broker: Broker, account: UUID) -> None:
    async with connected(broker.url(Service.FIX_OUTCOMES)) as channel:
        exchange = await channel.get_exchange(topology.EVENTS, ensure=False)
        message = aio_pika.Message(b"{}", user_id=str(Service.FIX_OUTCOMES))
        await exchange.publish(message, routing_key(account, SESSION, "fix.applied"), mandatory=False)


async def test_a_tool_gets_its_own_accounts_events_alone(
    broker: Broker, users: PsaUsers, account: UUID
) -> None:
    url, other = url_of(broker, account, users.add(account)), uuid4()
    async with connected(url) as channel:
        queue = await channel.declare_queue(f"psa-{account}.tickets", durable=True)
        await queue.bind(topology.EVENTS, f"{account}.#")
        await announce(broker, other)
        await announce(broker, account)
        received = await queue.get(timeout=5, no_ack=True)
        assert received.routing_key == routing_key(account, SESSION, "fix.applied")
        assert await queue.get(fail=False, no_ack=True) is None
    users.remove(account)


@pytest.mark.parametrize(
    "key", ["#", "*.*.fix.*", "*.#", "{other}.#", "{other}.*.fix.outcome_recorded", "{account}"]
)
async def test_it_binds_no_key_that_could_match_another_account(
    broker: Broker, users: PsaUsers, account: UUID, key: str
) -> None:
    url = url_of(broker, account, users.add(account))

    async def bind(channel: AbstractChannel) -> None:
        queue = await channel.declare_queue(f"psa-{account}.spying", exclusive=True)
        await queue.bind(topology.EVENTS, key.format(other=uuid4(), account=account))

    await refused(url, bind)
    users.remove(account)


@pytest.mark.parametrize("key", ["#", "*.*.fix.*"])
async def test_it_binds_no_exchange_to_the_events_either(
    broker: Broker, users: PsaUsers, account: UUID, key: str
) -> None:
    url = url_of(broker, account, users.add(account))

    async def through_its_own(channel: AbstractChannel) -> None:
        own = await channel.declare_exchange(f"psa-{account}.mine", auto_delete=True)
        await own.bind(topology.EVENTS, key)

    async def through_one_of_the_brokers(channel: AbstractChannel) -> None:
        fanout = await channel.get_exchange("amq.fanout", ensure=False)
        await fanout.bind(topology.EVENTS, key)

    await refused(url, through_its_own)
    await refused(url, through_one_of_the_brokers)
    users.remove(account)


async def test_it_reads_no_queue_of_another_tool(broker: Broker, users: PsaUsers, account: UUID) -> None:
    neighbour = uuid4()
    url = url_of(broker, account, users.add(account))
    async with connected(url_of(broker, neighbour, users.add(neighbour))) as channel:
        theirs = await channel.declare_queue(f"psa-{neighbour}.tickets", durable=True)

        async def read(channel: AbstractChannel) -> None:
            await (await channel.get_queue(theirs.name, ensure=False)).get(fail=False)

        await refused(url, read)
    users.remove(neighbour)
    users.remove(account)


async def test_its_connections_are_limited(broker: Broker, users: PsaUsers, account: UUID) -> None:
    url = url_of(broker, account, users.add(account))
    connections = [await aio_pika.connect(url) for _ in range(LIMITS["max-connections"])]
    try:
        with pytest.raises((AMQPError, ConnectionError)):
            await aio_pika.connect(url)
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))
        users.remove(account)


async def test_the_topic_permission_is_there_before_any_other(
    broker: Broker, users: PsaUsers, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    put = httpx.Client.put

    def noted(client: httpx.Client, path: str, **more: Any) -> httpx.Response:
        asked.append(path.split("/")[2])
        return put(client, path, **more)

    monkeypatch.setattr(httpx.Client, "put", noted)
    users.add(account)
    assert asked == ["policies", "users", "topic-permissions", "user-limits", "user-limits", "permissions"]
    users.remove(account)


async def test_a_rotated_password_replaces_the_old(broker: Broker, users: PsaUsers, account: UUID) -> None:
    old = users.add(account)
    new = users.rotate(account)
    async with connected(url_of(broker, account, new)):
        pass
    with pytest.raises((AMQPError, ConnectionError)):
        await aio_pika.connect(url_of(broker, account, old))
    users.remove(account)


async def test_a_removed_user_is_gone_with_its_queues(broker: Broker, users: PsaUsers, account: UUID) -> None:
    url = url_of(broker, account, users.add(account))
    async with connected(url) as channel:
        await channel.declare_queue(f"psa-{account}.tickets", durable=True)
    assert [each.queues for each in users.everyone() if each.account_id == str(account)] == [1]

    assert users.remove(account) == 1

    assert not [each for each in users.everyone() if each.account_id == str(account)]
    with pytest.raises((AMQPError, ConnectionError)):
        await aio_pika.connect(url)


def test_what_does_not_fit_is_refused(users: PsaUsers, account: UUID) -> None:
    for change in (users.rotate, users.remove):
        with pytest.raises(PsaError):
            change(account)
    users.add(account)
    with pytest.raises(PsaError):
        users.add(account)
    users.remove(account)


@pytest.mark.parametrize("key", ["#", "*.*.fix.*"])
async def test_a_user_without_a_topic_permission_could_bind_anything(
    broker: Broker, users: PsaUsers, account: UUID, key: str
) -> None:
    """Why the order matters; if a broker ever refuses this, so much the better."""
    url = url_of(broker, account, users.add(account))
    with broker.api() as api:
        api.delete(f"/api/topic-permissions/{broker.vhost}/psa-{account}").raise_for_status()
    async with connected(url) as channel:
        queue = await channel.declare_queue(f"psa-{account}.spying", exclusive=True)
        await queue.bind(topology.EVENTS, key)
    users.remove(account)


async def test_the_command_prints_a_connection_string_and_a_subscriber_that_works(
    broker: Broker, users: PsaUsers, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPOLOGY_API_URL", broker.api_url)
    monkeypatch.setenv("TOPOLOGY_VHOST", broker.vhost)
    monkeypatch.setenv("TOPOLOGY_PSA_AMQP_URL", broker.admin_url)
    command = CliRunner()

    added = command.invoke(cli, ["topology", "psa", "add", str(account)])

    assert added.exit_code == 0
    url, _, program = added.stdout.partition("\n")
    assert url.startswith(f"amqp://psa-{account}:")
    listed = command.invoke(cli, ["topology", "psa", "list"]).stdout
    assert str(account) in listed
    assert url.split(":")[2].split("@")[0] not in listed
    received = await _run_until_it_prints(program, url, broker, account)
    assert received == f"{SESSION}/1 proposed -> applied_success"
    assert command.invoke(cli, ["topology", "psa", "remove", str(account)]).exit_code == 0


async def _run_until_it_prints(program: str, url: str, broker: Broker, account: UUID) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-u",
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "AMQP_URL": url},
    )
    event = {"id": f"{SESSION}/1", "data": {"from": "proposed", "to": "applied_success"}}
    key = routing_key(account, SESSION, "fix.outcome_recorded")
    try:
        async with asyncio.timeout(30), connected(broker.url(Service.FIX_OUTCOMES)) as channel:
            exchange = await channel.get_exchange(topology.EVENTS, ensure=False)
            assert process.stdout is not None
            reading = asyncio.create_task(process.stdout.readline())
            while not reading.done():
                message = aio_pika.Message(json.dumps(event).encode(), user_id=str(Service.FIX_OUTCOMES))
                await exchange.publish(message, key, mandatory=False)
                await asyncio.wait({reading}, timeout=0.3)
            return (await reading).decode().strip()
    finally:
        process.kill()
        await process.wait()
