"""Who is at the other end of a courier, and what may cut it off."""

from collections.abc import AsyncIterator

import aio_pika
import pytest
from integration.shared.couriers import Worker, running_publisher
from places import Broker
from proxy import Proxy, proxy_to
from shared.contracts import topology
from shared.contracts.vocabulary import Service


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
