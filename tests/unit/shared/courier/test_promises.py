"""What a caller is told: nothing promised, or that it will be done."""

import pytest
from aio_pika.exceptions import DeliveryError
from courier_wire import LONG, SHORT, Request, Wire, asking, connected, courier_to, given_up, leave, make
from pamqp.commands import Basic
from shared.courier import Courier, NotSent, Unanswered


def unroutable() -> DeliveryError:
    """What the client raises when the broker gives a message back."""
    return DeliveryError(None, Basic.Return(312, "NO_ROUTE"))


class TestNothingPromised:
    async def test_a_full_waiting_room_refuses_at_once(self, courier: Courier[Request], wire: Wire) -> None:
        await asking(courier, *("x" for _ in range(20)))
        with pytest.raises(NotSent, match="too many"):
            await courier.ask(make("one more"), timeout_s=LONG)
        await wire.answer(1)
        assert await asking(courier, "now there is room")

    async def test_a_deadline_before_the_confirm_is_not_sent(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        tasks = await asking(courier, "in flight", timeout_s=SHORT)
        assert len(wire.sent) == 1
        (error,) = await given_up(*tasks)
        assert isinstance(error, NotSent)

    async def test_without_a_connection_the_deadline_holds(self, courier: Courier[Request]) -> None:
        (error,) = await given_up(*await asking(courier, "a", timeout_s=SHORT))
        assert isinstance(error, NotSent)

    async def test_what_no_queue_takes_is_not_sent(self, courier: Courier[Request], wire: Wire) -> None:
        tasks = await asking(courier, "a", "b")
        await wire.fail(unroutable())
        assert [type(error) for error in await given_up(*tasks)] == [NotSent, NotSent]
        assert courier.waiting == 0

    async def test_the_next_request_after_a_refusal_is_sent(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        tasks = await asking(courier, "a")
        await wire.fail(unroutable())
        await given_up(*tasks)
        await asking(courier, "b")
        assert wire.batches == [["a"], ["b"]]

    async def test_stopping_fails_who_waits(self) -> None:
        courier = courier_to()
        wire = await connected(courier)
        (queued,) = await asking(courier, "queued")
        await wire.confirm()
        (in_flight,) = await asking(courier, "in flight")
        await courier.stop()
        errors = await given_up(queued, in_flight)
        assert [type(error) for error in errors] == [Unanswered, NotSent]
        await leave(courier)


class TestPromised:
    async def test_a_deadline_after_the_confirm_is_unanswered(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        tasks = await asking(courier, "a", timeout_s=SHORT)
        await wire.confirm()
        (error,) = await given_up(*tasks)
        assert isinstance(error, Unanswered)

    async def test_who_asks_for_the_confirm_alone_waits_for_nothing_else(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        (task,) = await asking(courier, "a", until_confirmed=True)
        await wire.answer(1)
        assert not task.done()
        await wire.confirm()
        (error,) = await given_up(task)
        assert isinstance(error, Unanswered)

    async def test_what_was_confirmed_stays_promised_though_a_second_try_is_refused(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        tasks = await asking(courier, "a")
        await wire.confirm()
        courier._on_lost()
        again = await connected(courier)
        await again.fail(unroutable())
        (error,) = await given_up(*tasks)
        assert isinstance(error, Unanswered)


class TestNothingIsLeftBehind:
    async def test_by_a_caller_that_is_cancelled_while_its_request_waits(
        self, courier: Courier[Request]
    ) -> None:
        tasks = await asking(courier, *"abc")
        for task in tasks:
            task.cancel()
        await given_up(*tasks)
        assert (courier.waiting, courier.unanswered) == (0, 0)

        wire = await connected(courier)
        assert wire.batches == []

    async def test_by_a_caller_that_is_cancelled_after_sending(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        (task,) = await asking(courier, "a")
        task.cancel()
        await given_up(task)
        await wire.confirm()
        await wire.answer(1)
        assert (courier.waiting, courier.unanswered) == (0, 0)

    async def test_by_callers_whose_time_ran_out_in_an_outage(self, courier: Courier[Request]) -> None:
        """An outage of an hour must not cost the memory of an hour's requests."""
        for _ in range(3):
            await given_up(*await asking(courier, *"abcdef", timeout_s=SHORT))
        assert (courier.waiting, courier.unanswered) == (0, 0)

    async def test_by_one_who_is_answered(self, courier: Courier[Request], wire: Wire) -> None:
        (task,) = await asking(courier, "a")
        await wire.answer(1)
        await task
        assert (courier.waiting, courier.unanswered) == (0, 0)
