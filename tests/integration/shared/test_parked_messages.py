"""What an operator does with parked messages, on a real broker."""

from datetime import UTC, datetime
from typing import Any

import aio_pika
import pytest
from places import Broker
from shared.contracts import topology
from shared.contracts.examples import COMMAND_BATCH
from shared.contracts.topology import FIX_OUTCOMES_COMMANDS
from shared.contracts.vocabulary import Service
from shared.parked import Parked, ParkingLot
from shared.publisher import Publisher

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def lot(broker: Broker) -> ParkingLot:
    return ParkingLot(
        url=broker.url(Service.FIX_OUTCOMES), queue=FIX_OUTCOMES_COMMANDS, user=Service.FIX_OUTCOMES
    )


@pytest.fixture
async def parked(broker: Broker, lot: ParkingLot) -> Any:
    """Parks messages as fix-outcomes does; what is left is thrown away afterwards."""
    publisher = Publisher(
        url=broker.url(Service.FIX_OUTCOMES), service=Service.FIX_OUTCOMES, replica="t", purpose="parks"
    )
    await publisher.start()

    async def park(*ids: str, body: bytes = b"not json") -> None:
        for message_id in ids:
            await publisher.publish(
                body,
                exchange=topology.DEAD_LETTERS,
                routing_key=FIX_OUTCOMES_COMMANDS.key,
                message_id=message_id,
                mandatory=True,
                headers={"reason": "not JSON", "attempts": 1, "published-by": "gateway"},
            )

    yield park
    await publisher.stop()
    await lot.discard(lambda _: True)


def everything(_parked: Parked) -> bool:
    return True


async def test_a_parked_message_is_shown_with_its_reason_its_attempts_and_its_age(
    lot: ParkingLot, parked: Any
) -> None:
    await parked("one")
    [found] = await lot.look()
    assert (found.id, found.reason, found.attempts, found.published_by) == ("one", "not JSON", 1, "gateway")
    assert found.parked_at is not None
    assert abs((datetime.now(UTC) - found.parked_at).total_seconds()) < 60
    assert "not JSON" in found.readable()


async def test_the_trace_of_a_batch_without_headers_is_that_of_its_first_command(
    lot: ParkingLot, parked: Any
) -> None:
    await parked("batch", body=COMMAND_BATCH.model_dump_json().encode())
    [found] = await lot.look()
    assert found.trace_id == TRACE
    assert '"record_outcome"' in found.readable()


async def test_what_another_service_writes_into_parking_is_strange_whatever_its_headers_say(
    broker: Broker, lot: ParkingLot, parked: Any
) -> None:
    await parked("ours")
    forger = await aio_pika.connect(broker.url(Service.NOTE_GENERATOR))
    async with forger:
        exchange = await (await forger.channel()).get_exchange(topology.DEAD_LETTERS, ensure=False)
        forged = aio_pika.Message(
            COMMAND_BATCH.model_dump_json().encode(),
            message_id="forged",
            user_id=Service.NOTE_GENERATOR,
            headers={"reason": "DataError", "attempts": 4, "published-by": "gateway"},
        )
        await exchange.publish(forged, FIX_OUTCOMES_COMMANDS.key)

    strange = {found.id: found.strange for found in await lot.look()}
    assert strange == {"ours": False, "forged": True}


async def test_looking_takes_nothing_away(lot: ParkingLot, parked: Any) -> None:
    await parked("one", "two")
    for _ in range(25):  # more often than a delivery limit would bear
        assert {found.id for found in await lot.look()} == {"one", "two"}


async def test_discarding_removes_the_named_messages_alone(lot: ParkingLot, parked: Any) -> None:
    await parked("one", "two")
    discarded = await lot.discard(lambda found: found.id == "one")
    assert [found.id for found in discarded] == ["one"]
    assert [found.id for found in await lot.look()] == ["two"]


async def test_a_replayed_message_comes_back_to_the_work_queue_as_one_that_is_trusted(
    broker: Broker, lot: ParkingLot, parked: Any
) -> None:
    await parked("one")
    assert [found.id for found in await lot.replay(everything)] == ["one"]
    assert await lot.look() == []
    connection = await aio_pika.connect(broker.admin_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(FIX_OUTCOMES_COMMANDS.name, passive=True)
        async with queue.iterator(timeout=30) as messages:
            async for message in messages:
                await message.ack()
                assert (message.body, message.user_id) == (b"not json", "fix-outcomes")
                assert message.message_id == "one"
                assert "attempts" not in message.headers  # it may climb the whole ladder again
                break


async def test_replaying_nothing_that_is_there_changes_nothing(lot: ParkingLot, parked: Any) -> None:
    await parked("one")
    assert await lot.replay(lambda found: found.id == "another") == []
    assert [found.id for found in await lot.look()] == ["one"]
