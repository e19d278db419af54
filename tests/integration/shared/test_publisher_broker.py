"""The publisher on a real RabbitMQ, as the restricted user that it is."""

import asyncio
from functools import partial
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from integration.shared.couriers import running_publisher
from patience import eventually
from places import Broker
from proxy import Proxy
from shared.contracts import topology
from shared.contracts.examples import ACCOUNT
from shared.contracts.vocabulary import Service
from shared.publisher import NotPublished, Publisher

from shared import publisher as publisher_module


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

    async def test_says_so_to_all_who_wait_when_a_silent_connection_is_given_up(
        self, broker: Broker, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with running_publisher(proxy.url(broker.url(Service.FIX_OUTCOMES))) as publisher:
            proxy.turn_deaf()
            publishing = []
            for patience_s in (0.3, 30.0):
                monkeypatch.setattr(publisher_module, "PUBLISH_TIMEOUT_S", patience_s)
                publish = publish_as(publisher, exchange=topology.EVENTS, key=EVENT_KEY)
                publishing.append(asyncio.create_task(publish))
                await asyncio.sleep(0)
            told = await asyncio.gather(*publishing, return_exceptions=True)
            assert [type(each) for each in told] == [NotPublished, NotPublished]


EVENT_KEY = f"{ACCOUNT}.{uuid4()}.fix.applied"


async def publish_as(publisher: Publisher, *, exchange: str, key: str = "x") -> None:
    await publisher.publish(b"{}", exchange=exchange, routing_key=key, message_id="m", mandatory=False)


async def fetched(broker: Broker, queue: str) -> AbstractIncomingMessage:
    async with await aio_pika.connect(broker.admin_url) as connection:
        channel = await connection.channel()
        message = await (await channel.get_queue(queue)).get(no_ack=True)
        assert message is not None
        return message
