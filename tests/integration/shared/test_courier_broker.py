"""The courier on a real RabbitMQ, as the restricted user that it is."""

import asyncio
import time

import pytest
from integration.shared.couriers import COMMANDS, DEADLINE_S, Worker, command, running_courier
from patience import eventually
from places import Broker
from shared.contracts import topology
from shared.contracts.vocabulary import Service
from shared.courier import Courier, Destination, NotSent, Unanswered


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
