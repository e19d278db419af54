"""The catalogue is whole: every message has two ends, every end a message, every queue something to hold."""

import re

import pytest
from shared.contracts import topology
from shared.contracts.catalogue import OPERATORS, PSA, ROUTES, Route
from shared.contracts.vocabulary import Service

PARTIES = {*Service, PSA, OPERATORS}
EVERY_ROUTE = pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)


def keys(route: Route) -> set[str]:
    """The routing keys that this route really has, of direct exchanges."""
    delays = topology.RETRY_DELAYS_S if "<delay>" in route.routing_key else (0,)
    return {route.routing_key.replace("<delay>", str(delay)) for delay in delays}


@EVERY_ROUTE
def test_a_message_has_a_producer_and_a_consumer_that_exist(route: Route) -> None:
    assert route.producers
    assert route.consumers
    assert {*route.producers, *route.consumers} <= PARTIES


@EVERY_ROUTE
def test_only_a_service_produces(route: Route) -> None:
    assert set(route.producers) <= set(Service)


@EVERY_ROUTE
def test_a_message_goes_to_an_exchange_that_is_declared(route: Route) -> None:
    assert route.exchange in topology.EXCHANGES


@EVERY_ROUTE
def test_its_queues_are_exactly_those_that_its_routing_key_reaches(route: Route) -> None:
    reached = {
        queue.name
        for queue in topology.queues()
        if queue.exchange == route.exchange and queue.routing_key in keys(route)
    }
    assert set(route.queues) == reached


@EVERY_ROUTE
def test_a_message_without_a_queue_goes_where_its_consumers_bring_their_own(route: Route) -> None:
    if not route.queues:
        assert route.exchange in {topology.EVENTS, topology.REPLIES}


@EVERY_ROUTE
def test_a_message_says_what_it_means(route: Route) -> None:
    assert route.meaning.strip()


def test_names_are_the_routes_own() -> None:
    assert all(name == route.name for name, route in ROUTES.items())


def test_every_exchange_carries_a_message() -> None:
    assert {route.exchange for route in ROUTES.values()} == set(topology.EXCHANGES)


def test_every_queue_is_fed_by_a_message_or_by_the_deaths_in_another_queue() -> None:
    sent = {(route.exchange, key) for route in ROUTES.values() for key in keys(route)}
    died = {
        (queue.arguments.get("x-dead-letter-exchange"), queue.dead_letter_key) for queue in topology.queues()
    }
    for queue in topology.queues():
        assert (queue.exchange, queue.routing_key) in sent | died, queue.name


def test_every_service_sends_and_receives_something() -> None:
    assert {party for route in ROUTES.values() for party in route.producers} == set(Service)
    assert {party for route in ROUTES.values() for party in route.consumers} == PARTIES


def test_a_direct_message_has_one_kind_of_worker() -> None:
    """Two services on one queue would take messages from each other."""
    for route in ROUTES.values():
        if route.queues:
            assert len(set(route.consumers) & set(Service)) <= 1, route.name


def test_a_session_is_named_in_every_event_key() -> None:
    for route in ROUTES.values():
        if route.exchange == topology.EVENTS:
            assert re.fullmatch(r"<account_id>\.<session_id>\.[a-z]+\.[a-z_]+", route.routing_key)
