"""The order in which things come up does not matter, and it stops whatever is missing."""

import asyncio

import pytest
from aio_pika.exceptions import ChannelNotFoundEntity
from note_generator.app import create_app
from note_generator_doubles import Surroundings, fresh_story, status, until
from pydantic import SecretStr
from shared.consuming import PatientBroker
from shared.contracts import topology


async def test_without_a_broker_it_lives_and_is_not_ready_and_stops(around: Surroundings) -> None:
    app = create_app(around.settings(amqp_url=SecretStr("amqp://nobody:x@127.0.0.1:1/"), shutdown_s=0.5))
    async with asyncio.timeout(25):
        async with app.start_lifespan_context():
            assert await status(app, "/healthz") == 200
            assert await status(app, "/readyz") == 503
            assert await status(app, "/metrics") == 200


async def test_it_begins_when_its_queues_appear(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = asyncio.Event()
    look = PatientBroker._look_for_queues

    async def noticed(broker: PatientBroker) -> None:
        try:
            await look(broker)
        except ChannelNotFoundEntity:
            looked.set()
            raise

    monkeypatch.setattr(PatientBroker, "_look_for_queues", noticed)
    story = fresh_story()
    around.tell(story)
    queue = topology.NOTE_GENERATOR_PREVIEWS
    path = f"/api/queues/{around.broker.vhost}/{queue.name}"
    with around.broker.api() as api:
        api.delete(path).raise_for_status()
        app = create_app(around.settings())
        async with app.start_lifespan_context():
            await asyncio.wait_for(looked.wait(), timeout=10)
            assert await status(app, "/readyz") == 503
            declared = {"durable": True, "arguments": dict(queue.arguments)}
            api.put(path, json=declared).raise_for_status()
            bound = {"routing_key": queue.routing_key}
            binding = f"/api/bindings/{around.broker.vhost}/e/{queue.exchange}/q/{queue.name}"
            api.post(binding, json=bound).raise_for_status()
            await around.changed(story)
            await until(lambda: len(around.announced(story)) == 2)
            assert await status(app, "/readyz") == 200
