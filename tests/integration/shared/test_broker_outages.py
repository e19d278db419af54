"""A broker that is killed, or that takes no more: callers are told by their deadline, and it goes on afterwards."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from devstack.binaries import NotInstalledError, rabbitmq_folder
from devstack.processes import Process, passed_on
from devstack.servers import Servers, start_servers
from patience import eventually
from places import Broker, own_broker
from shared.contracts import topology
from shared.contracts.answers import Answer, Answers
from shared.contracts.examples import ACCOUNT, SESSION
from shared.contracts.queries import GetSession, Query, QueryBatch
from shared.contracts.vocabulary import Service
from shared.courier import Courier, Destination, Limits, NotSent
from shared.publisher import NotPublished, Publisher

from shared import publisher as publisher_module

DEADLINE_S = 20.0

QUERIES: Destination[Query] = Destination(
    exchange=topology.QUERIES,
    routing_key=topology.FIX_OUTCOMES_QUERIES.routing_key,
    persistent=False,
    encode=lambda batch: QueryBatch(queries=tuple(batch)).model_dump_json().encode(),
)


@pytest.fixture(scope="module")
def own_servers(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A RabbitMQ that is ours to break; the others are borrowed."""
    borrowed = {"RF_DATABASE_URL": servers.database_url, "RF_REDIS_URL": servers.redis_url}
    try:
        started = start_servers(tmp_path_factory.mktemp("rabbitmq"), environment=borrowed)
    except NotInstalledError as error:
        pytest.skip(str(error))
    with started:
        yield started


@pytest.fixture(scope="module")
def broker(own_servers: Servers) -> Iterator[Broker]:
    with own_broker(own_servers) as broker:
        yield broker


@pytest.fixture
async def courier(broker: Broker) -> AsyncIterator[Courier[Query]]:
    courier = Courier(
        url=broker.url(Service.GATEWAY),
        service=Service.GATEWAY,
        replica="1",
        destination=QUERIES,
        limits=Limits(publish_s=1.0),
    )
    await courier.start()
    yield courier
    await courier.stop()


@pytest.fixture
async def publisher(broker: Broker) -> AsyncIterator[Publisher]:
    publisher = Publisher(
        url=broker.url(Service.FIX_OUTCOMES), service=Service.FIX_OUTCOMES, replica="1", purpose="test"
    )
    await publisher.start()
    yield publisher
    await publisher.stop()


@pytest.fixture
async def answering(broker: Broker, publisher: Publisher) -> AsyncIterator[None]:
    """A worker that comes back with the broker, as FastStream's does."""

    async def on_message(message: AbstractIncomingMessage) -> None:
        batch = QueryBatch.model_validate_json(message.body).queries
        answers = Answers(answers=tuple(Answer(ref=query.ref, status=200, body={}) for query in batch))
        await eventually(lambda: publisher.ready)
        await publisher.reply(answers.model_dump_json().encode(), reply_to=message.reply_to or "")

    connection = await aio_pika.connect_robust(broker.url(Service.FIX_OUTCOMES), reconnect_interval=0.2)
    channel = await connection.channel()
    queue = await channel.declare_queue(topology.FIX_OUTCOMES_QUERIES.name, passive=True)
    await queue.consume(on_message, no_ack=True)
    yield
    await connection.close()


def question(ref: int) -> Query:
    return Query(ref=ref, account_id=ACCOUNT, question=GetSession(session_id=SESSION))


async def not_sent(courier: Courier[Query], *, within_s: float) -> None:
    began = time.monotonic()
    with pytest.raises(NotSent):
        await courier.ask(question, timeout_s=within_s)
    assert time.monotonic() - began < within_s + 0.5


async def announced(publisher: Publisher) -> None:
    key = f"{ACCOUNT}.{SESSION}.fix.applied"
    await publisher.publish(b"{}", exchange=topology.EVENTS, routing_key=key, message_id="m", mandatory=False)


async def rabbitmqctl(servers: Servers, *command: str) -> None:
    process = servers["rabbitmq"]
    assert isinstance(process, Process)
    await asyncio.to_thread(
        subprocess.run,
        [str(rabbitmq_folder() / "rabbitmqctl"), *command],
        env={**passed_on(), **process.program.environment},
        check=True,
        capture_output=True,
        timeout=60,
    )


@pytest.mark.usefixtures("answering")
async def test_a_broker_that_takes_no_more_fails_callers_by_their_deadline(
    own_servers: Servers, courier: Courier[Query], publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "PUBLISH_TIMEOUT_S", 1.0)
    await courier.ask(question, timeout_s=DEADLINE_S)
    await rabbitmqctl(own_servers, "set_vm_memory_high_watermark", "0")
    try:
        await not_sent(courier, within_s=0.5)
        await not_sent(courier, within_s=2.5)  # longer than a publish is waited for
        with pytest.raises(NotPublished, match="in time"):
            await announced(publisher)
        waiting = asyncio.create_task(courier.ask(question, timeout_s=DEADLINE_S))
    finally:
        await rabbitmqctl(own_servers, "set_vm_memory_high_watermark", "0.6")

    assert (await waiting).status == 200
    await eventually(lambda: publisher.ready)
    await announced(publisher)
    assert (courier.waiting, courier.unanswered) == (0, 0)


@pytest.mark.usefixtures("answering")
async def test_a_killed_broker_fails_callers_by_their_deadline_and_is_found_again(
    own_servers: Servers, courier: Courier[Query], publisher: Publisher
) -> None:
    await courier.ask(question, timeout_s=DEADLINE_S)
    await asyncio.sleep(2)  # RabbitMQ 3.10 loses queues that were declared just before a kill
    rabbitmq = own_servers["rabbitmq"]
    await asyncio.to_thread(rabbitmq.kill)
    await eventually(lambda: not courier.ready and not publisher.ready)
    await not_sent(courier, within_s=0.3)
    with pytest.raises(NotPublished, match="no connection"):
        await announced(publisher)
    waiting = asyncio.create_task(courier.ask(question, timeout_s=60))

    await asyncio.to_thread(rabbitmq.start)
    await asyncio.to_thread(rabbitmq.wait_ready)

    assert (await waiting).status == 200
    await eventually(lambda: publisher.ready)
    await announced(publisher)


@pytest.mark.usefixtures("answering")
async def test_a_frozen_broker_is_not_waited_for(own_servers: Servers, courier: Courier[Query]) -> None:
    await courier.ask(question, timeout_s=DEADLINE_S)
    rabbitmq = own_servers["rabbitmq"]
    rabbitmq.pause()
    try:
        await not_sent(courier, within_s=0.5)
        waiting = asyncio.create_task(courier.ask(question, timeout_s=DEADLINE_S))
        answered, _ = await asyncio.wait({waiting}, timeout=2)
        assert not answered
    finally:
        rabbitmq.resume()
    assert (await waiting).status == 200
