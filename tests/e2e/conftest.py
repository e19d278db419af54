"""Two stacks for all of these tests: replicas, a model on loopback and a slow gateway; and one like the demo's."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from devstack.containers import start_test_servers
from devstack.stack import Stack
from e2e.client import Person
from e2e.model import Model, serving
from http_client import http_client

REPLICAS = {"gateway": 3, "fix-outcomes": 2, "note-generator": 2}
SLOW_GATEWAY = {"GATEWAY_RATE_PER_S": "0.01", "GATEWAY_RATE_BURST": "3"}

DEMO = [
    {"id": str(uuid4()), "account_id": str(uuid4()), "account": "Demo MSP", "name": name, "role": role}
    for name, role in (("Sam Okafor", "engineer"), ("Vera Novak", "viewer"))
]

NewPerson = Callable[..., Person]


@pytest.fixture(scope="session")
async def model() -> AsyncIterator[Model]:
    async with serving() as model:
        yield model


@pytest.fixture(scope="session")
def stack(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole stack; its third gateway is slow for every account."""
    folder = tmp_path_factory.mktemp("e2e")
    notes = {
        "NOTE_GENERATOR_ANTHROPIC_API_KEY": "none",
        "NOTE_GENERATOR_ANTHROPIC_BASE_URL": model.url,
        "NOTE_GENERATOR_QUIET_S": "1",
    }
    settings = {"note-generator": notes, "gateway-3": SLOW_GATEWAY}
    with (
        start_test_servers(folder / "servers") as servers,
        Stack(folder / "stack", replicas=REPLICAS, settings=settings, servers=servers) as stack,
    ):
        yield stack


@pytest.fixture(scope="session")
def demo_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of each service, no model, and people to choose from. Whoever stops a service of it starts it again."""
    folder = tmp_path_factory.mktemp("demo")
    settings = {
        "gateway": {"GATEWAY_DEMO_SIGN_IN": json.dumps(DEMO)},
        "note-generator": {"NOTE_GENERATOR_QUIET_S": "0.3"},
    }
    with (
        start_test_servers(folder / "servers") as servers,
        Stack(folder / "stack", settings=settings, servers=servers) as stack,
    ):
        yield stack


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client() as client:
        yield client


@pytest.fixture
def new_person(stack: Stack, http: httpx.AsyncClient) -> NewPerson:
    """Makes people: each asks the two ordinary gateways in turn, and has an account of their own."""

    def make(*, account_id: UUID | None = None, gateways: Any = None, **claims: Any) -> Person:
        account = account_id or uuid4()
        token = stack.token(account_id=account, sub=claims.pop("sub", None) or uuid4(), **claims)
        return Person(http, token, account, gateways or stack.gateway_urls[:2])

    return make


@pytest.fixture
def engineer(new_person: NewPerson) -> Person:
    return new_person(role="engineer", name="Ada")


@pytest.fixture
def colleague(new_person: NewPerson, engineer: Person) -> Person:
    """Another engineer of the same account."""
    return new_person(role="engineer", name="Grace", account_id=engineer.account_id)


@pytest.fixture
def viewer(new_person: NewPerson, engineer: Person) -> Person:
    """Who may only read, in the same account."""
    return new_person(role="viewer", account_id=engineer.account_id)


@pytest.fixture
def program(new_person: NewPerson, engineer: Person) -> Person:
    """The AI, in the same account."""
    return new_person(role="service", account_id=engineer.account_id)


@pytest.fixture
def stranger(new_person: NewPerson) -> Person:
    """An engineer of another account."""
    return new_person(role="engineer", name="Mallory")
