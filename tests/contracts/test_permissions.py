"""A broker user may do what the catalogue says of its service, and nothing else."""

import re
from uuid import UUID

import pytest
from shared.contracts import events, examples, topology
from shared.contracts.catalogue import PSA, ROUTES
from shared.contracts.topology import PERMISSIONS, Permissions
from shared.contracts.vocabulary import Service

EVERY_SERVICE = pytest.mark.parametrize("service", Service)

# RabbitMQ asks about the default exchange by the second name.
DEFAULT_EXCHANGE = ("", "amq.default")
OTHERS = (
    "amq.topic",
    "amq.direct",
    "amq.fanout",
    "amq.headers",
    "amq.match",
    "anything",
    "rf.commands2",
    "xrf.commands",
)
QUEUES = tuple(queue.name for queue in topology.queues())
NAMES = (*topology.EXCHANGES, *QUEUES, *DEFAULT_EXCHANGE, *OTHERS)

# Questions and updates come back to a queue of the asker's own, which it binds to these.
BINDS = {topology.REPLIES, topology.EVENTS}

OTHER_ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000b")


def admitted(pattern: str, names: tuple[str, ...] = NAMES) -> set[str]:
    """What RabbitMQ admits: it looks for the pattern anywhere in the name."""
    return {name for name in names if re.search(pattern, name)}


def private(service: Service, purpose: str = "replies") -> str:
    return topology.private_queue(service, "replica-1", "0123456789ab", purpose)


def produced(service: Service) -> set[str]:
    return {route.exchange for route in ROUTES.values() if service in route.producers}


def consumed(service: Service) -> set[str]:
    """Queues that a service consumes: not those where its messages only wait."""
    routes = [route for route in ROUTES.values() if service in route.consumers]
    work = {queue.name for queue in topology.queues() if queue.work or queue.exchange == topology.QUERIES}
    return {name for route in routes for name in route.queues} & work


def operated(service: Service) -> set[str]:
    """Parking queues that the service's own command line shows to an operator."""
    main_queues = (topology.FIX_OUTCOMES_COMMANDS, topology.NOTE_GENERATOR_STATE_CHANGES)
    return {queue.parked for queue in main_queues if queue.key.startswith(service)}


def bound(service: Service) -> set[str]:
    routes = [route for route in ROUTES.values() if service in route.consumers and not route.queues]
    return {route.exchange for route in routes}


@EVERY_SERVICE
def test_a_service_publishes_to_exactly_the_exchanges_of_its_messages(service: Service) -> None:
    assert admitted(PERMISSIONS[service].write) == produced(service)


@EVERY_SERVICE
def test_a_service_reads_exactly_what_it_consumes_and_binds(service: Service) -> None:
    assert admitted(PERMISSIONS[service].read) == consumed(service) | operated(service) | bound(service)


@EVERY_SERVICE
def test_only_one_who_brings_a_queue_may_bind(service: Service) -> None:
    assert bound(service) <= BINDS
    assert bool(bound(service)) == bool(re.search(PERMISSIONS[service].configure, private(service)))


@EVERY_SERVICE
def test_nobody_may_write_to_the_default_exchange(service: Service) -> None:
    """It reaches every queue."""
    assert not admitted(PERMISSIONS[service].write, DEFAULT_EXCHANGE)


@EVERY_SERVICE
def test_a_service_configures_nothing_that_is_shared(service: Service) -> None:
    """An empty name is no resource: `^$` is RabbitMQ's way to write "nothing"."""
    assert admitted(PERMISSIONS[service].configure) <= {""}


@EVERY_SERVICE
@pytest.mark.parametrize("right", ["configure", "write", "read"])
def test_nobody_reaches_the_private_queues_of_another(service: Service, right: str) -> None:
    pattern = getattr(PERMISSIONS[service], right)
    others = {
        private(other, purpose) for other in Service if other != service for purpose in ("replies", "updates")
    }
    own = private(service)
    disguised = {
        f"x{own}",
        f"{own}.v1",
        f"psa-{own}",
        f"{service}.0123456789ab.replies",
        f"{service}.a.b.replies2",
    }
    assert not admitted(pattern, (*others, *disguised))


@pytest.mark.parametrize("service", [Service.GATEWAY, Service.NOTE_GENERATOR])
@pytest.mark.parametrize("right", ["configure", "write", "read"])
def test_who_asks_has_a_queue_for_the_answers(service: Service, right: str) -> None:
    assert re.search(getattr(PERMISSIONS[service], right), private(service))


@EVERY_SERVICE
@pytest.mark.parametrize("name", events.DATA)
def test_a_service_announces_its_own_events_and_no_others(service: Service, name: str) -> None:
    """Topic permissions: who may publish an event is who the catalogue says produces it."""
    allowed = re.search(PERMISSIONS[service].events_write, examples.ROUTING_KEYS[name])
    assert bool(allowed) == (service in ROUTES[f"event {name}"].producers)


@EVERY_SERVICE
@pytest.mark.parametrize(
    "key", ["", "#", "*.*.fix.applied", "fix.applied", f"{examples.ACCOUNT}.fix.applied", "x.y.fix.applied"]
)
def test_no_event_is_announced_without_account_and_session(service: Service, key: str) -> None:
    if topology.EVENTS in produced(service):
        assert not re.search(PERMISSIONS[service].events_write, key)


@EVERY_SERVICE
def test_only_one_who_consumes_events_may_bind_their_topics(service: Service) -> None:
    key = examples.ROUTING_KEYS["fix.applied"]
    assert bool(re.search(PERMISSIONS[service].events_read, key)) == (topology.EVENTS in bound(service))


class TestAPsaTool:
    """A user of one account, with queues of its own."""

    own = topology.psa_permissions(examples.ACCOUNT)
    queue = f"{topology.psa_user(examples.ACCOUNT)}.tickets"

    def test_consumes_events_and_nothing_else(self) -> None:
        exchanges = {route.exchange for route in ROUTES.values() if PSA in route.consumers}
        assert admitted(self.own.read) == exchanges == {topology.EVENTS}

    def test_writes_nothing_but_its_own_queues(self) -> None:
        assert not admitted(self.own.write)
        assert not admitted(self.own.configure)
        assert not admitted(self.own.events_write, tuple(examples.ROUTING_KEYS.values()))

    @pytest.mark.parametrize("right", ["configure", "write", "read"])
    def test_has_queues_under_its_own_name(self, right: str) -> None:
        other = f"{topology.psa_user(OTHER_ACCOUNT)}.tickets"
        assert admitted(getattr(self.own, right), (self.queue, other, f"x{self.queue}")) == {self.queue}

    def test_binds_topics_of_its_own_account_alone(self) -> None:
        own = {key.format(account=examples.ACCOUNT) for key in ("{account}.#", "{account}.*.fix.#")}
        others = {f"{OTHER_ACCOUNT}.#", "#", "*.#", "*.*.fix.applied", f"#.{examples.ACCOUNT}.#"}
        assert admitted(self.own.events_read, (*own, *others)) == own


def test_every_service_has_a_user() -> None:
    assert set(PERMISSIONS) == set(Service)


def test_a_user_is_given_nothing_by_default() -> None:
    nothing = Permissions(configure="^$", write="^$", read="^$")
    assert not admitted(nothing.events_write, tuple(examples.ROUTING_KEYS.values()))
    assert not admitted(nothing.events_read, ("#",))
