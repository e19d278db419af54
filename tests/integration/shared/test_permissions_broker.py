"""What RabbitMQ itself refuses: each service's user, and a PSA tool's, at the limits of its permissions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq.exceptions import AMQPError, ChannelAccessRefused, ChannelPreconditionFailed
from devstack.services import with_login
from patience import eventually
from places import Broker
from shared.contracts import topology
from shared.contracts.events import routing_key
from shared.contracts.examples import ACCOUNT, SESSION
from shared.contracts.vocabulary import Service

OTHER_ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000b")
PASSWORD = uuid4().hex

EVERY_SERVICE = pytest.mark.parametrize("service", Service)
ASKERS = pytest.mark.parametrize("service", [Service.GATEWAY, Service.NOTE_GENERATOR])

Deed = Callable[[AbstractChannel], Awaitable[object]]


@asynccontextmanager
async def channel_of(url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection:
        yield await connection.channel()


async def refused(url: str, deed: Deed) -> None:
    async with channel_of(url) as channel:
        with pytest.raises(ChannelAccessRefused):
            await deed(channel)


def publish(exchange: str, key: str, *, user: str | None = None) -> Deed:
    async def deed(channel: AbstractChannel) -> None:
        target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        await target.publish(aio_pika.Message(b"{}", user_id=user), key, mandatory=False)

    return deed


def declare(name: str) -> Deed:
    return lambda channel: channel.declare_queue(name, durable=True)


def consume(name: str) -> Deed:
    async def ignore(_: AbstractIncomingMessage) -> None:
        pass

    async def deed(channel: AbstractChannel) -> None:
        queue = await channel.get_queue(name, ensure=False)
        await queue.consume(ignore)

    return deed


def bind(name: str, exchange: str, key: str) -> Deed:
    async def deed(channel: AbstractChannel) -> None:
        queue = await channel.declare_queue(name, exclusive=True)
        await queue.bind(exchange, key)

    return deed


def own_queue(service: Service) -> str:
    return topology.private_queue(service, "1", uuid4().hex[:12], "replies")


@EVERY_SERVICE
async def test_a_service_declares_nothing_that_is_shared(broker: Broker, service: Service) -> None:
    await refused(broker.url(service), declare("anything"))
    await refused(broker.url(service), declare(f"{service}.anything.v1"))
    await refused(broker.url(service), lambda channel: channel.declare_exchange("rf.mine", durable=True))


@EVERY_SERVICE
async def test_a_service_cannot_delete_or_change_a_queue(broker: Broker, service: Service) -> None:
    name = topology.FIX_OUTCOMES_COMMANDS.name
    await refused(broker.url(service), lambda channel: channel.queue_delete(name))


@EVERY_SERVICE
async def test_nobody_publishes_through_the_default_exchange(broker: Broker, service: Service) -> None:
    await refused(broker.url(service), publish("", topology.FIX_OUTCOMES_COMMANDS.name))


@pytest.mark.parametrize(
    ("service", "exchange"),
    [
        (Service.GATEWAY, topology.EVENTS),
        (Service.GATEWAY, topology.REPLIES),
        (Service.GATEWAY, topology.DEAD_LETTERS),
        (Service.FIX_OUTCOMES, topology.COMMANDS),
        (Service.NOTE_GENERATOR, topology.COMMANDS),
        (Service.NOTE_GENERATOR, topology.CHANGES),
    ],
)
async def test_a_service_publishes_nothing_of_others(broker: Broker, service: Service, exchange: str) -> None:
    await refused(broker.url(service), publish(exchange, "x"))


@pytest.mark.parametrize(
    ("service", "queue"),
    [
        (Service.GATEWAY, topology.FIX_OUTCOMES_COMMANDS.name),
        (Service.GATEWAY, topology.FIX_OUTCOMES_COMMANDS.parked),
        (Service.FIX_OUTCOMES, topology.NOTE_GENERATOR_STATE_CHANGES.name),
        (Service.FIX_OUTCOMES, topology.NOTE_GENERATOR_STATE_CHANGES.parked),
        (Service.NOTE_GENERATOR, topology.FIX_OUTCOMES_COMMANDS.name),
        (Service.NOTE_GENERATOR, topology.FIX_OUTCOMES_QUERIES.name),
    ],
)
async def test_a_service_consumes_nothing_of_others(broker: Broker, service: Service, queue: str) -> None:
    await refused(broker.url(service), consume(queue))


@pytest.mark.parametrize(
    ("service", "event"),
    [(Service.FIX_OUTCOMES, "note.regenerated"), (Service.NOTE_GENERATOR, "fix.outcome_recorded")],
)
async def test_a_service_announces_no_event_of_another(broker: Broker, service: Service, event: str) -> None:
    await refused(broker.url(service), publish(topology.EVENTS, routing_key(ACCOUNT, SESSION, event)))


@ASKERS
async def test_who_asks_binds_answers_to_a_queue_of_its_own(broker: Broker, service: Service) -> None:
    name = own_queue(service)
    async with channel_of(broker.url(service)) as channel:
        await bind(name, topology.REPLIES, name)(channel)


@ASKERS
async def test_who_asks_binds_nothing_but_answers_and_events(broker: Broker, service: Service) -> None:
    for exchange in (topology.COMMANDS, topology.CHANGES, topology.DEAD_LETTERS, "amq.topic"):
        await refused(broker.url(service), bind(own_queue(service), exchange, "x"))


async def test_note_generator_overhears_no_events(broker: Broker) -> None:
    await refused(
        broker.url(Service.NOTE_GENERATOR), bind(own_queue(Service.NOTE_GENERATOR), topology.EVENTS, "#")
    )


@EVERY_SERVICE
async def test_a_forged_user_is_refused(broker: Broker, service: Service) -> None:
    forged = next(other for other in Service if other != service)
    allowed = {
        Service.GATEWAY: (topology.COMMANDS, "x"),
        Service.FIX_OUTCOMES: (topology.CHANGES, "x"),
        Service.NOTE_GENERATOR: (topology.RETRIES, "x"),
    }
    async with channel_of(broker.url(service)) as channel:
        await publish(*allowed[service], user=str(service))(channel)
        with pytest.raises(ChannelPreconditionFailed):
            await publish(*allowed[service], user=str(forged))(channel)


@pytest.mark.parametrize("password", ["guest", ""])
async def test_nobody_enters_without_a_password_of_ours(broker: Broker, password: str) -> None:
    for user in ("guest", *Service):
        with pytest.raises((AMQPError, ConnectionError)):
            await aio_pika.connect(with_login(broker.admin_url, user, password))


PSA_USER = topology.psa_user(ACCOUNT)


@pytest.fixture(scope="module")
def url(broker: Broker) -> str:
    """A PSA tool's, whose user is made just as docs/messages.md says."""
    allowed = topology.psa_permissions(ACCOUNT)
    topics = {"exchange": topology.EVENTS, "write": allowed.events_write, "read": allowed.events_read}
    rights = {"configure": allowed.configure, "write": allowed.write, "read": allowed.read}
    with broker.api() as api:
        for path, body in (
            (f"users/{PSA_USER}", {"password": PASSWORD, "tags": ""}),
            (f"topic-permissions/{broker.vhost}/{PSA_USER}", topics),
            (f"permissions/{broker.vhost}/{PSA_USER}", rights),
        ):
            api.put(f"/api/{path}", json=body).raise_for_status()
    return with_login(broker.admin_url, PSA_USER, PASSWORD)


class TestAPsaTool:
    async def test_gets_the_events_of_its_account_and_of_no_other(self, broker: Broker, url: str) -> None:
        async with channel_of(url) as channel, channel_of(broker.url(Service.FIX_OUTCOMES)) as announcing:
            queue = await channel.declare_queue(f"{PSA_USER}.tickets", durable=True)
            await queue.bind(topology.EVENTS, f"{ACCOUNT}.#")
            for account in (OTHER_ACCOUNT, ACCOUNT):
                key = routing_key(account, SESSION, "fix.applied")
                await publish(topology.EVENTS, key, user=Service.FIX_OUTCOMES)(announcing)

            received = await queue.get(timeout=5, no_ack=True)

            assert received.routing_key == routing_key(ACCOUNT, SESSION, "fix.applied")
            assert await queue.get(fail=False, no_ack=True) is None

    @pytest.mark.parametrize("key", ["#", "*.#", f"{OTHER_ACCOUNT}.#", "*.*.fix.applied"])
    async def test_binds_no_topic_of_others(self, url: str, key: str) -> None:
        await refused(url, bind(f"{PSA_USER}.spying", topology.EVENTS, key))

    @pytest.mark.parametrize("name", ["tickets", f"psa-{OTHER_ACCOUNT}.tickets", "gateway.1.0a.replies"])
    async def test_has_queues_of_its_own_name_alone(self, url: str, name: str) -> None:
        await refused(url, declare(name))

    async def test_publishes_nothing(self, url: str) -> None:
        await refused(url, publish(topology.EVENTS, routing_key(ACCOUNT, SESSION, "fix.applied")))
        await refused(url, publish(topology.COMMANDS, topology.FIX_OUTCOMES_COMMANDS.key))
        await refused(url, publish("", f"{PSA_USER}.tickets"))

    async def test_reads_no_queue_of_a_service(self, url: str) -> None:
        for queue in topology.queues():
            await refused(url, consume(queue.name))

    async def test_cannot_fill_the_disk(self, broker: Broker, url: str) -> None:
        """A policy bounds its queues, whatever it declares."""
        async with channel_of(url) as channel:
            await channel.declare_queue(f"{PSA_USER}.bounded", durable=True)
            with broker.api() as api:
                bounds = await eventually(lambda: bounds_of(api, broker, "bounded"))
        assert {"max-length", "max-length-bytes", "expires"} <= bounds.keys()


def bounds_of(api: httpx.Client, broker: Broker, name: str) -> dict[str, int]:
    queue = api.get(f"/api/queues/{broker.vhost}/{PSA_USER}.{name}").json()
    bounds: dict[str, int] = queue.get("effective_policy_definition", {})
    return bounds


def test_every_queue_has_the_arguments_of_the_contracts(broker: Broker) -> None:
    with broker.api() as api:
        there = {queue["name"]: queue for queue in api.get(f"/api/queues/{broker.vhost}").json()}
        for queue in topology.queues():
            assert queue.arguments.items() <= there[queue.name]["arguments"].items()
            bindings = api.get(f"/api/queues/{broker.vhost}/{queue.name}/bindings").json()
            sources = {(each["source"], each["routing_key"]) for each in bindings if each["source"]}
            assert sources == {(queue.exchange, queue.routing_key)}
