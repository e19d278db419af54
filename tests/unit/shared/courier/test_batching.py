"""The batching sender, on a wire that confirms when the test says so."""

import pytest
from aio_pika import DeliveryMode
from courier_wire import Request, Wire, asking, connected, courier_to, leave
from shared.contracts import topology
from shared.courier import Courier


class TestBatching:
    async def test_idle_one_request_goes_at_once(self, courier: Courier[Request], wire: Wire) -> None:
        await asking(courier, "a")
        assert wire.batches == [["a"]]

    async def test_busy_what_came_meanwhile_travels_together(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        await asking(courier, "a")
        await asking(courier, "b")
        await asking(courier, "c")
        await asking(courier, "d")
        assert wire.batches == [["a"], ["b"]]

        await wire.confirm(0)

        assert wire.batches == [["a"], ["b"], ["c", "d"]]

    async def test_at_most_two_messages_await_their_confirm(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        await asking(courier, *"abcdefghi")
        assert len(wire.open) == 2
        await wire.confirm(0)
        assert len(wire.open) == 3

    async def test_a_message_carries_no_more_than_the_limit_and_all_in_order(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        await asking(courier, *"abcdefgh")
        for number in range(2):
            await wire.confirm(number)
        assert wire.batches == [["a", "b", "c"], ["d", "e", "f"], ["g", "h"]]
        assert (courier.figures.requests, courier.figures.messages) == (8, 3)

    async def test_a_batch_is_answered_in_parts_in_any_order(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        a, b, c = await asking(courier, "a", "b", "c")
        await wire.answer(3, status=409)
        await wire.answer(1)
        assert ((await c).status, (await a).body) == (409, {"ref": 1})
        assert not b.done()
        await wire.answer(2)
        assert (await b).ref == 2

    async def test_an_answer_may_come_before_the_confirm(self, courier: Courier[Request], wire: Wire) -> None:
        (a,) = await asking(courier, "a")
        await wire.answer(1)
        assert (await a).status == 200


class TestTheMessage:
    async def test_is_mandatory_signed_and_says_where_answers_go(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        await asking(courier, "a")
        (message,) = wire.sent
        assert wire.routed == [("somebody.commands", True)]
        assert wire.exchange == topology.COMMANDS
        assert message.user_id == "gateway"
        assert message.reply_to == f"{wire.queue}|{topology.REPLIES}"
        assert wire.bound == (topology.REPLIES, wire.queue)
        assert message.message_id
        assert message.content_type == "application/json"

    async def test_of_a_change_outlives_a_broker_and_its_asker(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        await asking(courier, "a")
        assert wire.sent[0].delivery_mode == DeliveryMode.PERSISTENT
        assert wire.sent[0].expiration is None

    async def test_of_a_question_is_gone_when_nobody_waits_for_it(self) -> None:
        courier = courier_to(persistent=False)
        wire = await connected(courier)
        await asking(courier, "a", timeout_s=5)
        assert wire.sent[0].delivery_mode == DeliveryMode.NOT_PERSISTENT
        assert wire.sent[0].expiration == pytest.approx(5, abs=1)
        await leave(courier)
