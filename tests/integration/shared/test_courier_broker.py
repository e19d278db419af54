"""The courier and the publisher on a real RabbitMQ, as the restricted users that they are."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractIncomingMessage
from patience import eventually
from places import Broker
from proxy import Proxy, proxy_to
from shared.contracts import topology
from shared.contracts.answers import Answer, Answers
from shared.contracts.commands import Command, CommandBatch, CreateSession
from shared.contracts.examples import ACCOUNT, SAM
from shared.contracts.views import IntakeContent
from shared.contracts.vocabulary import Service
from shared.courier import Courier, Destination, Limits, NotSent, Unanswered
from shared.publisher import NotPublished, Publisher

from shared import publisher as publisher_module

DEADLINE_S = 10.0

COMMANDS: Destination[Command] = Destination(
    exchange=topology.COMMANDS,
    routing_key=topology.FIX_OUTCOMES_COMMANDS.key,
    persistent=True,
    encode=lambda batch: CommandBatch(commands=tuple(batch)).model_dump_json().encode(),
)


def command(text: str = "no internet") -> Callable[[int], Command]:
    action = CreateSession(intake_content=IntakeContent(text=text))
    return lambda ref: Command(
        ref=ref,
        command_id=uuid4(),
        account_id=ACCOUNT,
        actor=SAM,
        fingerprint="",
        issued_at=datetime.now(UTC),
        action=action,
    )


@asynccontextmanager
async def running_courier(url: str, *, limits: Limits | None = None) -> AsyncIterator[Courier[Command]]:
    courier = Courier(url=url, service=Service.GATEWAY, replica="1", destination=COMMANDS, limits=limits)
    await courier.start()
    try:
        yield courier
    finally:
        await courier.stop()


@asynccontextmanager
async def running_publisher(url: str, service: Service = Service.FIX_OUTCOMES) -> AsyncIterator[Publisher]:
    publisher = Publisher(url=url, service=service, replica="1", purpose="test")
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


class Worker:
    """Stands in for fix-outcomes: answers each command with its text, and counts what it saw."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.batches: list[Sequence[Command]] = []
        self.answering = asyncio.Event()
        self.answering.set()

    async def on_message(self, message: AbstractIncomingMessage) -> None:
        batch = CommandBatch.model_validate_json(message.body).commands
        self.batches.append(batch)
        assert message.user_id == Service.GATEWAY
        await self.answering.wait()
        answers = Answers(answers=tuple(_answer(each) for each in batch))
        await self._publisher.reply(answers.model_dump_json().encode(), reply_to=message.reply_to or "")
        await message.ack()


def _answer(command: Command) -> Answer:
    assert isinstance(command.action, CreateSession)
    return Answer(ref=command.ref, status=201, body={"text": command.action.intake_content.text})


@pytest.fixture
async def worker(broker: Broker) -> AsyncIterator[Worker]:
    url = broker.url(Service.FIX_OUTCOMES)
    async with running_publisher(url) as publisher, await aio_pika.connect(url) as connection:
        worker = Worker(publisher)
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=4)
        queue = await channel.get_queue(topology.FIX_OUTCOMES_COMMANDS.name, ensure=False)
        await queue.purge()
        await queue.consume(worker.on_message)
        yield worker
        worker.answering.set()


@pytest.fixture
async def proxy(broker: Broker) -> AsyncIterator[Proxy]:
    async with proxy_to(broker.admin_url) as proxy:
        yield proxy


class TestACourier:
    async def test_answers_parallel_requests_in_few_messages(self, broker: Broker, worker: Worker) -> None:
        async with running_courier(broker.url(Service.GATEWAY)) as courier:
            answers = await asyncio.gather(
                *(courier.ask(command(str(n)), timeout_s=DEADLINE_S) for n in range(500))
            )

            assert [answer.body["text"] for answer in answers] == [str(n) for n in range(500)]
            assert courier.figures.messages == len(worker.batches) < 50
            assert (courier.waiting, courier.unanswered) == (0, 0)

    async def test_gives_each_of_two_replicas_its_own_answers(self, broker: Broker, worker: Worker) -> None:
        url = broker.url(Service.GATEWAY)
        async with running_courier(url) as one, running_courier(url) as other:
            answers = await asyncio.gather(
                *(
                    each.ask(command(f"{name} {n}"), timeout_s=DEADLINE_S)
                    for n in range(50)
                    for name, each in (("one", one), ("other", other))
                )
            )
            assert [a.body["text"] for a in answers] == [
                f"{x} {n}" for n in range(50) for x in ("one", "other")
            ]

    async def test_leaves_what_it_was_told_is_queued_to_the_worker(
        self, broker: Broker, worker: Worker
    ) -> None:
        worker.answering.clear()
        async with running_courier(broker.url(Service.GATEWAY)) as courier:
            with pytest.raises(Unanswered):
                await courier.ask(command("later"), timeout_s=0.5)
            with pytest.raises(Unanswered):
                await courier.ask(command("at once"), timeout_s=DEADLINE_S, until_confirmed=True)
        await eventually(lambda: sum(map(len, worker.batches)) == 2)

    async def test_says_not_sent_where_no_queue_takes_it(self, broker: Broker) -> None:
        nowhere = Destination(topology.COMMANDS, "nobody.commands", True, COMMANDS.encode)
        courier = Courier(
            url=broker.url(Service.GATEWAY), service=Service.GATEWAY, replica="1", destination=nowhere
        )
        await courier.start()
        began = time.monotonic()
        with pytest.raises(NotSent):
            await courier.ask(command(), timeout_s=DEADLINE_S)
        assert time.monotonic() - began < 2
        assert courier.ready
        await courier.stop()

    async def test_leaves_no_queue_behind(self, broker: Broker) -> None:
        async with running_courier(broker.url(Service.GATEWAY)):
            pass
        with broker.api() as api:
            await eventually(
                lambda: (
                    not any(
                        queue["name"].startswith("gateway.")
                        for queue in api.get(f"/api/queues/{broker.vhost}").json()
                    )
                )
            )


class TestALostConnection:
    async def test_is_made_anew_and_what_was_unanswered_is_sent_again_in_time(
        self, broker: Broker, worker: Worker, proxy: Proxy
    ) -> None:
        worker.answering.clear()
        async with running_courier(proxy.url(broker.url(Service.GATEWAY))) as courier:
            asked = [
                asyncio.create_task(courier.ask(command(str(n)), timeout_s=DEADLINE_S)) for n in range(20)
            ]
            await eventually(lambda: sum(map(len, worker.batches)) == 20)

            await proxy.cut()
            worker.answering.set()
            answers = await asyncio.gather(*asked)

        assert [answer.body["text"] for answer in answers] == [str(n) for n in range(20)]
        assert courier.figures.resent == 20
        assert proxy.connections == 2

    async def test_closed_by_an_operator_is_made_anew(self, broker: Broker, worker: Worker) -> None:
        async with running_courier(broker.url(Service.GATEWAY)) as courier:
            with broker.api() as api:
                await eventually(lambda: closed_connections(api, user=Service.GATEWAY) > 0)
            await eventually(lambda: not courier.ready)
            answer = await courier.ask(command("again"), timeout_s=DEADLINE_S)
        assert answer.body == {"text": "again"}

    async def test_at_any_moment_costs_nobody_an_answer(
        self, broker: Broker, worker: Worker, proxy: Proxy
    ) -> None:
        """Cut again and again, also while the connection is being set up."""
        moments = random.Random(7)
        async with running_courier(proxy.url(broker.url(Service.GATEWAY))) as courier:
            asked = []
            for n in range(20):
                asked += [
                    asyncio.create_task(courier.ask(command(f"{n} {m}"), timeout_s=30)) for m in range(5)
                ]
                await asyncio.wait(asked, timeout=moments.uniform(0, 0.15))
                await proxy.cut()
            answers = await asyncio.gather(*asked)
            assert (courier.waiting, courier.unanswered) == (0, 0)

        assert [a.body["text"] for a in answers] == [f"{n} {m}" for n in range(20) for m in range(5)]
        assert proxy.connections > 5

    async def test_that_went_deaf_is_not_waited_for_beyond_the_deadline(
        self, broker: Broker, worker: Worker, proxy: Proxy
    ) -> None:
        async with running_courier(
            proxy.url(broker.url(Service.GATEWAY)), limits=Limits(publish_s=1.0)
        ) as courier:
            proxy.turn_deaf()
            began = time.monotonic()
            with pytest.raises(NotSent):
                await courier.ask(command(), timeout_s=0.5)
            assert time.monotonic() - began < 1

            patient = asyncio.create_task(courier.ask(command("patient"), timeout_s=DEADLINE_S))
            await eventually(lambda: not courier.ready)
            proxy.hear_again()
            assert (await patient).body == {"text": "patient"}


def closed_connections(api: httpx.Client, *, user: str) -> int:
    """Close what this user has open, as an operator would; the API needs a moment to know of a connection."""
    names = [each["name"] for each in api.get("/api/connections").json() if each.get("user") == user]
    for name in names:
        api.delete(f"/api/connections/{name}")
    return len(names)


class TestAPublisher:
    async def test_returns_when_the_broker_has_the_message(self, broker: Broker) -> None:
        async with running_publisher(broker.url(Service.FIX_OUTCOMES)) as publisher:
            await publisher.publish(
                b"parked",
                exchange=topology.DEAD_LETTERS,
                routing_key=topology.FIX_OUTCOMES_PARKED_NOTICES.key,
                message_id="m-1",
                mandatory=True,
                headers={"reason": "test"},
            )
        got = await fetched(broker, topology.FIX_OUTCOMES_PARKED_NOTICES.parked)
        assert (got.body, got.message_id, got.user_id) == (b"parked", "m-1", Service.FIX_OUTCOMES)
        assert got.delivery_mode == aio_pika.DeliveryMode.PERSISTENT

    async def test_says_so_when_no_queue_takes_a_mandatory_message(self, broker: Broker) -> None:
        async with running_publisher(broker.url(Service.FIX_OUTCOMES)) as publisher:
            publish = partial(
                publisher.publish, b"", exchange=topology.RETRIES, routing_key="nobody", message_id="m-2"
            )
            with pytest.raises(NotPublished):
                await publish(mandatory=True)
            await publish(mandatory=False)

    async def test_recovers_from_a_refusal(self, broker: Broker) -> None:
        async with running_publisher(broker.url(Service.FIX_OUTCOMES)) as publisher:
            with pytest.raises(NotPublished):
                await publish_as(publisher, exchange=topology.COMMANDS)
            await eventually(lambda: not publisher.ready)
            await eventually(lambda: publisher.ready)
            await publish_as(publisher, exchange=topology.EVENTS, key=EVENT_KEY)

    async def test_does_not_mind_that_an_asker_is_gone(self, broker: Broker) -> None:
        async with running_publisher(broker.url(Service.FIX_OUTCOMES)) as publisher:
            await publisher.reply(b"{}", reply_to=f"gateway.1.0a.replies|{topology.REPLIES}")
            await publish_as(publisher, exchange=topology.EVENTS, key=EVENT_KEY)
            assert publisher.ready

    async def test_without_a_connection_fails_at_once(self, broker: Broker, proxy: Proxy) -> None:
        async with running_publisher(proxy.url(broker.url(Service.FIX_OUTCOMES))) as publisher:
            await proxy.cut()
            with pytest.raises(NotPublished):
                await publish_as(publisher, exchange=topology.EVENTS, key=EVENT_KEY)
            await eventually(lambda: not publisher.ready)
            await eventually(lambda: publisher.ready)
            await publish_as(publisher, exchange=topology.EVENTS, key=EVENT_KEY)

    async def test_waits_for_a_confirm_only_so_long(
        self, broker: Broker, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with running_publisher(proxy.url(broker.url(Service.FIX_OUTCOMES))) as publisher:
            monkeypatch.setattr(publisher_module, "PUBLISH_TIMEOUT_S", 0.3)
            proxy.turn_deaf()
            with pytest.raises(NotPublished, match="in time"):
                await publish_as(publisher, exchange=topology.EVENTS, key=EVENT_KEY)
            proxy.hear_again()
            await eventually(lambda: not publisher.ready)
            await eventually(lambda: publisher.ready)


EVENT_KEY = f"{ACCOUNT}.{uuid4()}.fix.applied"


async def publish_as(publisher: Publisher, *, exchange: str, key: str = "x") -> None:
    await publisher.publish(b"{}", exchange=exchange, routing_key=key, message_id="m", mandatory=False)


async def fetched(broker: Broker, queue: str) -> AbstractIncomingMessage:
    async with await aio_pika.connect(broker.admin_url) as connection:
        channel = await connection.channel()
        message = await (await channel.get_queue(queue)).get(no_ack=True)
        assert message is not None
        return message
