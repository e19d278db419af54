"""A real RabbitMQ tells every viewer what happens, after a lost connection too."""

from contextlib import AsyncExitStack
from uuid import UUID

import aio_pika
import orjson
from gateway.updates import Updates, Viewer
from places import Broker
from proxy import proxy_to
from shared.contracts import topology
from shared.contracts.events import routing_key
from shared.contracts.examples import ACCOUNT
from shared.contracts.vocabulary import Service
from unit.gateway.streams import change

MANY = 120


async def test_a_lost_connection_leaves_no_session_of_many_unbound(broker: Broker) -> None:
    async with (
        proxy_to(broker.admin_url) as proxy,
        AsyncExitStack() as streams,
        await aio_pika.connect(broker.admin_url) as connection,
    ):
        url = proxy.url(broker.url(Service.GATEWAY))
        updates = Updates(url=url, replica="gateway-1", viewers=MANY, viewers_each=MANY, buffer=1)
        sessions = [UUID(int=number) for number in range(MANY)]
        viewers = [
            await streams.enter_async_context(updates.watch(account_id=ACCOUNT, session_id=session))
            for session in sessions
        ]
        updates.start()
        streams.push_async_callback(updates.stop)
        await _behind(viewers)
        await proxy.cut()
        await _behind(viewers)

        events = await (await connection.channel()).get_exchange(topology.EVENTS, ensure=False)
        for session in sessions:
            message = aio_pika.Message(orjson.dumps(change(7)))
            await events.publish(message, routing_key=routing_key(ACCOUNT, session, "fix.applied"))
        for viewer in viewers:
            assert await viewer.wait(20)
            assert [update.sequence for update in viewer.take()] == [7]
        assert proxy.connections == 2


async def _behind(viewers: list[Viewer]) -> None:
    """Every one of them is told to catch up, and does."""
    for viewer in viewers:
        assert await viewer.wait(20)
        assert not viewer.caught_up()
        viewer.take()
