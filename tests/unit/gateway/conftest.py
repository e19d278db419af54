import pytest
from unit.gateway.gateway_doubles import Bench, KeyPair


@pytest.fixture
def bench() -> Bench:
    """A gateway with scripted couriers, and HS256 tokens."""
    return Bench()


@pytest.fixture(scope="session")
def key_pair() -> KeyPair:
    return KeyPair()
