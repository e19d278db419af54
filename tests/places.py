"""A test module's own place on the shared servers: a virtual host of RabbitMQ, a database of Postgres."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import asyncpg
import httpx
from devstack.database import with_path
from devstack.servers import Servers
from devstack.services import with_login
from fix_outcomes import provisioning, topology
from pydantic import SecretStr
from shared.contracts.vocabulary import Service

# Users and roles belong to the whole server: every module of a session gives them the same passwords.
PASSWORDS = {service: SecretStr(secrets.token_hex(16)) for service in Service}
ROLES = {name: SecretStr(secrets.token_hex(16)) for name in ("fix_outcomes", "fix_outcomes_relay")}


@dataclass(frozen=True)
class Broker:
    """A virtual host with all exchanges and queues; `url(service)` is a service's own restricted user."""

    vhost: str
    admin_url: str = field(repr=False)
    api_url: str = field(repr=False)

    def url(self, service: Service) -> str:
        """Where the service's own user connects."""
        return with_login(self.admin_url, str(service), PASSWORDS[service].get_secret_value())

    @contextmanager
    def api(self) -> Iterator[httpx.Client]:
        """The management API, as an administrator."""
        url = httpx.URL(self.api_url)
        with httpx.Client(
            base_url=url.copy_with(userinfo=b""),
            auth=(url.username, url.password),
            trust_env=False,
            timeout=30,
        ) as client:
            yield client


@dataclass(frozen=True)
class Database:
    """A migrated database: as its owner, and as the two roles of fix-outcomes. `postgresql://…` all three."""

    admin_url: str = field(repr=False)
    runtime_url: str = field(repr=False)
    relay_url: str = field(repr=False)


@contextmanager
def own_broker(servers: Servers) -> Iterator[Broker]:
    """A virtual host with the topology and the permissions of the services; gone afterwards."""
    vhost = f"rf_{secrets.token_hex(4)}"
    broker = Broker(vhost, with_path(servers.amqp_url, f"/{vhost}"), servers.rabbitmq_api_url)
    administrator = quote(httpx.URL(servers.rabbitmq_api_url).username)
    with broker.api() as api:
        api.put(f"/api/vhosts/{vhost}").raise_for_status()
        try:
            everything = {"configure": ".*", "write": ".*", "read": ".*"}
            api.put(f"/api/permissions/{vhost}/{administrator}", json=everything).raise_for_status()
            definitions = topology.definitions(PASSWORDS, vhost=vhost)
            api.post("/api/definitions", json=definitions).raise_for_status()
            yield broker
        finally:
            api.delete(f"/api/vhosts/{vhost}").raise_for_status()


@asynccontextmanager
async def own_database(servers: Servers) -> AsyncIterator[Database]:
    """A database at the newest revision; gone afterwards."""
    name = f"rf_{secrets.token_hex(4)}"
    admin_url = with_path(servers.database_url, f"/{name}")
    await administer(servers.database_url, f"create database {name}")
    try:
        await provisioning.apply(SecretStr(admin_url), ROLES)
        runtime, relay = (
            with_login(admin_url, role, password.get_secret_value()) for role, password in ROLES.items()
        )
        yield Database(admin_url, runtime, relay)
    finally:
        await administer(servers.database_url, f"drop database {name} with (force)")


@asynccontextmanager
async def altered(url: str, change: str, back: str) -> AsyncIterator[None]:
    """A database that an administrator has changed, and changes back."""
    await administer(url, change)
    try:
        yield
    finally:
        await administer(url, back)


async def administer(url: str, statement: str) -> None:
    """Run one statement as the user of this URL."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
