import pytest
from unit.gateway.gateway_doubles import Bench, KeyPair
from unit.gateway.streams import Journal


@pytest.fixture
def bench() -> Bench:
    """A gateway with scripted couriers, and HS256 tokens."""
    return Bench()


@pytest.fixture
def journal(bench: Bench) -> Journal:
    """What the gateway of `bench` is told of the session: three changes so far."""
    return Journal(bench, sequence=3)


@pytest.fixture(scope="session")
def key_pair() -> KeyPair:
    return KeyPair()
