"""The same three servers in containers, for tests on a machine with a Docker engine. Needs the dev group."""

import os
import shlex
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devstack import postgres, rabbitmq, redis
from devstack.database import answers, ensure_database, with_path
from devstack.ending import discard_data
from devstack.jobs import POLL_SECONDS
from devstack.parallel import together
from devstack.processes import StartFailedError
from devstack.servers import Addresses, Servers, start_servers
from devstack.state import State

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

CHOICES = ("auto", "docker", "private")
_REDIS = (
    "exec docker-entrypoint.sh redis-server --aclfile /data/users.acl --save '' --appendonly no "
    "--maxmemory 256mb --maxmemory-policy allkeys-lru"
)
IMAGES = {"postgres": "postgres:16", "rabbitmq": "rabbitmq:4-management", "redis": "redis:7"}


@dataclass
class Container:
    """A server in a container; its ports are fixed, so that it comes back where it was."""

    name: str
    environment: Mapping[str, str] = field(repr=False)
    ports: Mapping[int, int]
    ready: Callable[[], bool]
    command: str | None = field(default=None, repr=False)
    _container: "DockerContainer | None" = field(default=None, repr=False)

    @property
    def pid(self) -> None:
        """It has none that could be signalled from here."""

    def alive(self) -> bool:
        """Whether it runs."""
        return self._container is not None and self._wrapped().status in {"running", "paused"}

    def well(self) -> bool:
        """Whether it runs and is ready."""
        return self.alive() and self.ready()

    def start(self) -> None:
        """Start it, or start it again."""
        if self._container is not None:
            self._wrapped().start()
            return
        from testcontainers.core.container import DockerContainer

        container = DockerContainer(IMAGES[self.name], command=self.command).with_envs(**self.environment)
        for inside, outside in self.ports.items():
            container.with_bind_ports(inside, outside)
        self._container = container
        container.start()

    def wait_ready(self, timeout: float = 120) -> None:
        """Return once it answers; raises StartFailedError when it does not in time."""
        deadline = time.monotonic() + timeout
        while not self.ready():
            if not self.alive() or time.monotonic() > deadline:
                raise StartFailedError(f"the container of {self.name} is not ready\n{self.tail()}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._wrapped().stop()

    def end(self) -> None:
        """Remove it with its data."""
        if self._container is not None:
            self._container.stop()
            self._container = None

    def kill(self) -> None:
        """SIGKILL."""
        self._wrapped().kill()
        self._wrapped().wait()

    def restart(self) -> None:
        """Stop, start and wait until it is ready, on the same ports and data."""
        self.stop()
        self.start()
        self.wait_ready()

    def pause(self) -> None:
        """Freeze it."""
        self._wrapped().pause()

    def resume(self) -> None:
        """Thaw it."""
        self._wrapped().unpause()

    def tail(self, lines: int = 20) -> str:
        """The last lines of what it wrote."""
        if self._container is None:
            return ""
        return str(self._wrapped().logs(tail=lines), errors="replace")

    def _wrapped(self) -> Any:
        if self._container is None:
            raise RuntimeError(f"{self.name} was never started")
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return wrapped


def start_test_servers(folder: Path, *, environment: Mapping[str, str] | None = None) -> Servers:
    """What tests run against: servers given by URL, else containers, else private servers.

    RF_TEST_SERVERS=docker|private forces one of the last two; `auto` takes containers where an engine answers.
    """
    given = os.environ if environment is None else environment
    return (
        servers_from_docker(folder) if docker_is_chosen(given) else start_servers(folder, environment=given)
    )


def are_given(environment: Mapping[str, str]) -> bool:
    """Whether a URL names any of the servers."""
    return not {"RF_DATABASE_URL", "RF_AMQP_URL", "RF_REDIS_URL"}.isdisjoint(environment)


def docker_is_chosen(given: Mapping[str, str]) -> bool:
    """Whether tests with this environment run against containers."""
    choice = given.get("RF_TEST_SERVERS", "auto")
    if choice not in CHOICES:
        raise ValueError(f"RF_TEST_SERVERS must be one of {', '.join(CHOICES)}")
    if are_given(given):
        return False
    return choice == "docker" or (choice == "auto" and engine_answers())


def engine_answers() -> bool:
    """Whether a Docker engine is there for us."""
    import docker
    from docker.constants import DEFAULT_DOCKER_API_VERSION
    from docker.errors import APIError, DockerException

    if not _somebody_listens(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")):
        return False
    try:
        # With a version given nothing is asked before we can close the client.
        with closing(docker.from_env(version=DEFAULT_DOCKER_API_VERSION, timeout=5)) as client:
            return bool(client.ping())
    except APIError:
        return True  # of another version, but it is there
    except (DockerException, OSError):
        return False


def _somebody_listens(address: str) -> bool:
    """False for a Unix socket without an engine: Docker's client would leave a socket open over it."""
    path = address.removeprefix("unix://")
    if not path.startswith("/"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def servers_from_docker(folder: Path) -> Servers:
    """All three servers in containers, ready. Raises StartFailedError, leaving nothing behind."""
    state = State.load(folder.resolve())
    at = _addresses(state)
    own = {container.name: container for container in _containers(state, at)}

    def remove_all() -> None:
        together(own.values(), Container.end)
        discard_data(state)

    try:
        for container in own.values():
            container.start()
        together(own.values(), Container.wait_ready)
        ensure_database(at.database_url)
    except BaseException:
        remove_all()
        raise
    return Servers(addresses=at, own=own, stop=remove_all)


def _addresses(state: State) -> Addresses:
    return Addresses(
        database_url=postgres.url(state),
        amqp_url=rabbitmq.url(state),
        rabbitmq_api_url=rabbitmq.api_url(state),
        redis_url=redis.url(state),
    )


def _containers(state: State, at: Addresses) -> tuple[Container, ...]:
    any_database = with_path(at.database_url, "/postgres")
    return (
        Container(
            name="postgres",
            environment={"POSTGRES_PASSWORD": state.secret("postgres")},
            ports={5432: state.port("postgres")},
            ready=lambda: answers(any_database),
        ),
        Container(
            name="rabbitmq",
            environment={
                "RABBITMQ_DEFAULT_USER": rabbitmq.ADMINISTRATOR,
                "RABBITMQ_DEFAULT_PASS": state.secret("rabbitmq"),
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-rabbit consumer_timeout {rabbitmq.CONSUMER_TIMEOUT_MS}",
            },
            ports={5672: state.port("rabbitmq"), 15672: state.port("rabbitmq:api")},
            ready=lambda: rabbitmq.answers(at.amqp_url, at.rabbitmq_api_url),
        ),
        Container(
            name="redis",
            environment={},
            command=shlex.join(
                ["sh", "-c", f"[ -e users.acl ] || echo '{redis.administrator(state)}' > users.acl; {_REDIS}"]
            ),
            ports={6379: state.port("redis")},
            ready=lambda: redis.answers(at.redis_url),
        ),
    )
