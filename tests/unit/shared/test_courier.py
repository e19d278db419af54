"""The batching sender, on a wire that confirms when the test says so."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aio_pika import DeliveryMode, Message
from aio_pika.exceptions import AMQPConnectionError, DeliveryError
from shared.contracts import topology
from shared.contracts.answers import Answer, Answers
from shared.contracts.vocabulary import Service
from shared.courier import Courier, Destination, Limits, NotSent, Unanswered

LONG, SHORT = 30.0, 0.03

Request = tuple[int, str]


class Wire:
    """Stands in for a connection, its channel, queue and exchange: keeps what is published until told."""

    def __init__(self) -> None:
        self.close_callbacks: set[Callable[..., None]] = set()
        self.sent: list[Message] = []
        self.routed: list[tuple[str, bool]] = []
        self.open: list[asyncio.Future[None]] = []
        self.bound: tuple[str, str] | None = None

    async def channel(self, **_: object) -> "Wire":
        return self

    async def declare_queue(self, name: str, **options: bool) -> "Wire":
        assert options["exclusive"]
        self.queue = name
        return self

    async def bind(self, exchange: str, routing_key: str) -> None:
        self.bound = (exchange, routing_key)

    async def consume(self, callback: Callable[[Any], Awaitable[None]], *, no_ack: bool) -> None:
        assert no_ack
        self.on_answers = callback

    async def get_exchange(self, name: str, *, ensure: bool) -> "Wire":
        assert not ensure
        self.exchange = name
        return self

    async def publish(self, message: Message, *, routing_key: str, mandatory: bool) -> None:
        self.sent.append(message)
        self.routed.append((routing_key, mandatory))
        self.open.append(asyncio.get_running_loop().create_future())
        await self.open[-1]

    @property
    def batches(self) -> list[list[str]]:
        """The texts of the requests in each message."""
        return [[text for _, text in json.loads(message.body)] for message in self.sent]

    async def confirm(self, number: int = -1) -> None:
        self.open[number].set_result(None)
        await settle()

    async def fail(self, error: Exception, number: int = -1) -> None:
        self.open[number].set_exception(error)
        await settle()

    async def answer(self, *refs: int, status: int = 200) -> None:
        answers = Answers(answers=tuple(Answer(ref=ref, status=status, body={"ref": ref}) for ref in refs))
        await self.deliver(answers.model_dump_json().encode())

    async def deliver(self, body: bytes) -> None:
        await self.on_answers(type("Delivery", (), {"body": body}))
        await settle()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def make(text: str) -> Callable[[int], Request]:
    return lambda ref: (ref, text)


def courier_to(*, persistent: bool = True, **limits: Any) -> Courier[Request]:
    return Courier(
        url="amqp://nowhere.example/",
        service=Service.GATEWAY,
        replica="1",
        destination=Destination(
            exchange=topology.COMMANDS,
            routing_key="somebody.commands",
            persistent=persistent,
            encode=lambda batch: json.dumps(batch).encode(),
        ),
        limits=Limits(**{"waiting": 20, "batch": 3} | limits),
    )


@pytest.fixture
async def courier() -> AsyncIterator[Courier[Request]]:
    courier = courier_to()
    yield courier
    await leave(courier)


async def leave(courier: Courier[Request]) -> None:
    courier._on_lost()
    await courier.stop()
    await settle()
    assert (courier.waiting, courier.unanswered) == (0, 0)


@pytest.fixture
async def wire(courier: Courier[Request]) -> Wire:
    return await connected(courier)


async def connected(courier: Courier[Request]) -> Wire:
    wire = Wire()
    await courier._set_up(wire)
    await settle()
    return wire


async def asking(
    courier: Courier[Request], *texts: str, timeout_s: float = LONG, **more: bool
) -> list[asyncio.Task[Answer]]:
    """Callers that wait."""
    tasks = [asyncio.create_task(courier.ask(make(text), timeout_s=timeout_s, **more)) for text in texts]
    await settle()
    return tasks


async def given_up(*tasks: asyncio.Task[Answer]) -> list[BaseException | Answer]:
    return await asyncio.gather(*tasks, return_exceptions=True)


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
        await wire.fail(DeliveryError(None, None))
        assert [type(error) for error in await given_up(*tasks)] == [NotSent, NotSent]
        assert courier.waiting == 0

    async def test_the_next_request_after_a_refusal_is_sent(
        self, courier: Courier[Request], wire: Wire
    ) -> None:
        tasks = await asking(courier, "a")
        await wire.fail(DeliveryError(None, None))
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
        await again.fail(DeliveryError(None, None))
        (error,) = await given_up(*tasks)
        assert isinstance(error, Unanswered)


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
