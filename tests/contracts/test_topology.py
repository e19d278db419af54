"""Nothing can be lost for want of a place: work is parked, what waits comes back, and names carry versions."""

import re

import pytest
from shared.contracts import topology
from shared.contracts.topology import Queue, WorkQueue
from shared.contracts.vocabulary import Service

QUEUES = {queue.name: queue for queue in topology.queues()}
WORK = [queue for queue in topology.queues() if queue.work]
WAITING = [queue for queue in topology.queues() if queue.exchange == topology.RETRIES]
PARKING = [queue for queue in topology.queues() if re.search(r"\.parked\.v\d+$", queue.name)]
QUESTIONS = [queue for queue in topology.queues() if queue.exchange == topology.QUERIES]

EVERY_QUEUE = pytest.mark.parametrize("queue", topology.queues(), ids=QUEUES)
EVERY_WORK_QUEUE = pytest.mark.parametrize("queue", WORK, ids=lambda queue: queue.name)
EVERY_WAIT_QUEUE = pytest.mark.parametrize("queue", WAITING, ids=lambda queue: queue.name)
LADDERS = [group for group in topology.WORK_QUEUES if group.retried]


def after_death(queue: Queue) -> set[str]:
    """Where the broker puts what dies here."""
    exchange, key = queue.arguments.get("x-dead-letter-exchange"), queue.dead_letter_key
    return {other.name for other in QUEUES.values() if (other.exchange, other.routing_key) == (exchange, key)}


def test_every_queue_has_its_place_in_these_tests() -> None:
    for queue in QUEUES.values():
        assert sum(queue in kind for kind in (WORK, WAITING, PARKING, QUESTIONS)) == 1, queue.name


@EVERY_QUEUE
def test_a_queue_is_bound_to_an_exchange_that_exists(queue: Queue) -> None:
    assert queue.exchange in topology.EXCHANGES


@EVERY_QUEUE
def test_a_queue_name_carries_a_version_and_its_owner(queue: Queue) -> None:
    owners = "|".join(Service)
    assert re.fullmatch(rf"({owners})\.[a-z0-9.-]+\.v[1-9]\d*", queue.name)


@EVERY_QUEUE
def test_a_full_queue_refuses_rather_than_drops(queue: Queue) -> None:
    assert queue.arguments["x-overflow"] == "reject-publish"
    assert {"x-max-length-bytes", "x-max-length"} & queue.arguments.keys()


def test_queue_names_are_unique() -> None:
    assert len(QUEUES) == len(topology.queues())


@EVERY_WORK_QUEUE
def test_work_that_kills_its_worker_is_parked(queue: Queue) -> None:
    assert queue.arguments["x-queue-type"] == "quorum"
    assert queue.arguments["x-delivery-limit"] == topology.DELIVERY_LIMIT
    assert queue.arguments["x-dead-letter-exchange"] == topology.DEAD_LETTERS
    assert any(QUEUES[name] in PARKING for name in after_death(queue))


@EVERY_WORK_QUEUE
def test_work_is_never_parked_where_it_would_come_back_by_itself(queue: Queue) -> None:
    """RabbitMQ drops, silently, what returns to a queue by delivery limit and expiry alone."""
    assert not any(QUEUES[name] in WAITING for name in after_death(queue))


@pytest.mark.parametrize("queue", [*WORK, *WAITING], ids=lambda queue: queue.name)
def test_dead_letters_are_kept_until_the_next_queue_has_them(queue: Queue) -> None:
    assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
    assert queue.arguments["x-queue-type"] == "quorum"


@pytest.mark.parametrize("group", LADDERS, ids=lambda group: group.name)
def test_what_waits_comes_back_to_its_work_queue_through_the_named_exchange(group: WorkQueue) -> None:
    for delay_s in topology.RETRY_DELAYS_S:
        waiting = QUEUES[group.wait(delay_s)]
        assert waiting.arguments["x-message-ttl"] == delay_s * 1_000
        assert waiting.arguments["x-dead-letter-exchange"] == group.exchange
        assert after_death(waiting) == {group.name}


@EVERY_WAIT_QUEUE
def test_nothing_but_its_own_name_leads_to_a_wait_queue(queue: Queue) -> None:
    assert queue.routing_key == queue.name


def test_every_wait_queue_belongs_to_a_ladder() -> None:
    assert {queue.name for queue in WAITING} == {
        group.wait(delay_s) for group in LADDERS for delay_s in topology.RETRY_DELAYS_S
    }


@pytest.mark.parametrize("queue", PARKING, ids=lambda queue: queue.name)
def test_what_is_parked_stays(queue: Queue) -> None:
    assert not {"x-message-ttl", "x-dead-letter-exchange", "x-expires"} & queue.arguments.keys()


@pytest.mark.parametrize("queue", QUESTIONS, ids=lambda queue: queue.name)
def test_a_stale_question_is_dropped(queue: Queue) -> None:
    assert queue.arguments["x-queue-type"] == "classic"
    assert queue.arguments["x-message-ttl"]
    assert "x-dead-letter-exchange" not in queue.arguments


@EVERY_QUEUE
def test_no_queue_is_bound_to_the_default_exchange_or_dies_into_it(queue: Queue) -> None:
    assert queue.exchange
    assert queue.arguments.get("x-dead-letter-exchange") != ""


def test_an_exchange_of_events_alone_is_a_topic() -> None:
    topics = {name for name, kind in topology.EXCHANGES.items() if kind == "topic"}
    assert topics == {topology.EVENTS}


def test_a_private_queue_is_new_with_every_connection() -> None:
    first, second = (topology.private_queue(Service.GATEWAY, "a", each, "replies") for each in ("01", "02"))
    assert first != second
