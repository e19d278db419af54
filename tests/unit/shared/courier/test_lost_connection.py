"""A connection that is lost, and answers that nobody understands."""

import asyncio

import pytest
from aio_pika.exceptions import AMQPConnectionError
from courier_wire import (
    SHORT,
    Request,
    Wire,
    asking,
    connected,
    courier_to,
    leave,
)
from shared.contracts.answers import Answer, Answers
from shared.courier import Courier


class TestALostConnection:
    async def test_who_is_unanswered_is_sent_again_and_who_is_answered_is_not(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        answered, *waiting = await asking(courier, "answered", "confirmed", "too")
        await wire.confirm()
        in_flight = await asking(courier, "in flight")
        await wire.answer(1)
        await answered

        courier._on_lost()
        later = await asking(courier, "asked while away")
        again = await connected(courier)

        assert again.batches == [["confirmed", "too", "in flight"], ["asked while away"]]
        assert again.queue != wire.queue
        assert courier.figures.resent == 3
        await again.answer(2, 3, 4, 5)
        assert [(await task).ref for task in (*waiting, *in_flight, *later)] == [2, 3, 4, 5]

    async def test_an_answer_to_the_first_try_ends_the_wait(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        (task,) = await asking(courier, "a")
        await wire.confirm()
        courier._on_lost()
        await wire.answer(1)
        assert (await task).ref == 1
        again = await connected(courier)
        assert again.batches == []

    async def test_a_failed_publish_gives_the_connection_up(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        (task,) = await asking(courier, "a")
        await wire.fail(AMQPConnectionError("gone"))
        assert courier._connection._drop.is_set()
        assert not task.done()

    async def test_a_publish_that_hangs_gives_the_connection_up(self) -> None:
        courier = courier_to(publish_s=SHORT)
        await connected(courier)
        await asking(courier, "a")
        async with asyncio.timeout(5):
            await courier._connection._drop.wait()
        await leave(courier)


class TestStrangeAnswers:
    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b'{"version":2,"answers":[]}', b"\xff", b'{"answers":[{}]}']
    )
    async def test_an_unreadable_answer_is_ignored(
        self, courier: Courier[Request], wire: Wire, body: bytes
    ) -> None:
        (task,) = await asking(courier, "a")
        await wire.deliver(body)
        assert not task.done()
        await wire.answer(1)
        assert (await task).ref == 1

    async def test_an_answer_for_nobody_is_ignored(self, courier: Courier[Request], wire: Wire) -> None:
        (task,) = await asking(courier, "a")
        await wire.answer(99, 1, 0)
        assert (await task).ref == 1

    async def test_the_first_of_two_answers_counts(self, courier: Courier[Request], wire: Wire) -> None:
        (task,) = await asking(courier, "a")
        body = Answers(
            answers=(Answer(ref=1, status=200, body={}), Answer(ref=1, status=409, body={}))
        ).model_dump_json()
        await wire.deliver(body.encode())
        await wire.answer(1, status=500)
        assert (await task).status == 200
