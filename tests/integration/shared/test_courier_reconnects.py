"""A courier whose connection to a real RabbitMQ is lost: nobody's answer is."""

import asyncio
import random
import time

import httpx
import pytest
from integration.shared.couriers import DEADLINE_S, Worker, command, running_courier
from patience import eventually
from places import Broker
from proxy import Proxy
from shared.contracts.vocabulary import Service
from shared.courier import Limits, NotSent


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
