"""Postgres, RabbitMQ and Redis for one stack: the caller's own where a URL names them, else private ones."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from devstack import leash, postgres, rabbitmq, redis
from devstack.database import ensure_database
from devstack.ending import SERVERS, end_all
from devstack.install import ensure_installed
from devstack.parallel import together
from devstack.processes import Process, Program
from devstack.state import State

_BEGINNINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "RF_DATABASE_URL": ("postgresql://", "postgres://"),
    "RF_AMQP_URL": ("amqp://", "amqps://"),
    "RF_RABBITMQ_API_URL": ("http://", "https://"),
    "RF_REDIS_URL": ("redis://", "rediss://"),
}


class Server(Protocol):
    """What tests and fault tests may do to a server, wherever it runs."""

    @property
    def name(self) -> str: ...
    @property
    def pid(self) -> int | None: ...
    def alive(self) -> bool: ...
    def well(self) -> bool: ...
    def start(self) -> None: ...
    def wait_ready(self, timeout: float = 60) -> None: ...
    def stop(self) -> None: ...
    def end(self) -> None: ...
    def kill(self) -> None: ...
    def restart(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def tail(self, lines: int = 20) -> str: ...


@dataclass(frozen=True)
class Addresses:
    """Where the servers are, as an administrator; passwords are kept out of test reports."""

    database_url: str = field(repr=False)
    amqp_url: str = field(repr=False)
    rabbitmq_api_url: str = field(repr=False)
    redis_url: str = field(repr=False)


@dataclass(frozen=True)
class Servers:
    """The running servers. `own` are those that were started here, by name; `stop` ends them and their data."""

    addresses: Addresses
    own: Mapping[str, Server]
    stop: Callable[[], None]

    @property
    def database_url(self) -> str:
        """postgresql://, the superuser or owner, with the stack's database."""
        return self.addresses.database_url

    @property
    def amqp_url(self) -> str:
        """amqp://, an administrator."""
        return self.addresses.amqp_url

    @property
    def rabbitmq_api_url(self) -> str:
        """http://, the management API with an administrator's login."""
        return self.addresses.rabbitmq_api_url

    @property
    def redis_url(self) -> str:
        """redis://, an administrator."""
        return self.addresses.redis_url

    def __getitem__(self, name: str) -> Server:
        """One of `postgres`, `rabbitmq`, `redis`; KeyError when it is not ours to touch."""
        return self.own[name]

    def start(self) -> None:
        """Start what does not run, all at once, and wait until all of it is ready."""
        together(SERVERS, self.make_ready)

    def make_ready(self, name: str) -> None:
        """Start it where it is ours and does not run, and wait until it is ready, Postgres with the database."""
        if name in self.own:
            self.own[name].start()
            self.own[name].wait_ready()
        if name == "postgres":
            ensure_database(self.database_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_servers(
    folder: Path, *, durable: bool = False, environment: Mapping[str, str] | None = None
) -> Servers:
    """Servers that are ready, with their data, secrets and logs under `folder`.

    RF_DATABASE_URL, RF_AMQP_URL (with RF_RABBITMQ_API_URL) and RF_REDIS_URL of `environment` (default: ours)
    name servers to use instead. Raises StartFailedError, leaving nothing behind.
    """
    ensure_installed(os.environ if environment is None else environment)
    state = State.load(folder.resolve())
    servers = describe_servers(state, durable=durable, environment=environment)
    try:
        leash.put_on(state)
        servers.start()
    except BaseException:
        servers.stop()
        raise
    return servers


def describe_servers(state: State, *, durable: bool, environment: Mapping[str, str] | None = None) -> Servers:
    """The servers of a stack, found again if they run; nothing is started."""
    given = elsewhere(state, os.environ if environment is None else environment)
    _check_addresses(given)
    programs: list[Program] = []
    if "RF_DATABASE_URL" not in given:
        programs.append(postgres.program(state, durable=durable))
    if "RF_AMQP_URL" not in given:
        programs.append(rabbitmq.program(state))
    elif "RF_RABBITMQ_API_URL" not in given:
        raise ValueError(
            "RF_AMQP_URL needs RF_RABBITMQ_API_URL: http://user:password@host:port of its management"
        )
    if "RF_REDIS_URL" not in given:
        programs.append(redis.program(state))
    return Servers(
        addresses=_addresses(state, given),
        own={program.name: Process(program, state) for program in programs},
        stop=lambda: end_all(state),
    )


def _check_addresses(given: Mapping[str, str]) -> None:
    for name, beginnings in _BEGINNINGS.items():
        if name in given and not given[name].startswith(beginnings):
            raise ValueError(f"{name} must be an address that begins with {beginnings[0]}, or be unset")


def elsewhere(state: State, given: Mapping[str, str]) -> dict[str, str]:
    """The environment without URLs of this very stack: whoever sourced its stack.env has them set."""
    ours = state.secrets.values()
    return {name: value for name, value in given.items() if not any(secret in value for secret in ours)}


def _addresses(state: State, given: Mapping[str, str]) -> Addresses:
    own_broker = "RF_AMQP_URL" not in given
    return Addresses(
        database_url=given["RF_DATABASE_URL"] if "RF_DATABASE_URL" in given else postgres.url(state),
        amqp_url=rabbitmq.url(state) if own_broker else given["RF_AMQP_URL"],
        rabbitmq_api_url=rabbitmq.api_url(state) if own_broker else given["RF_RABBITMQ_API_URL"],
        redis_url=given["RF_REDIS_URL"] if "RF_REDIS_URL" in given else redis.url(state),
    )
