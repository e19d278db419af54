"""The stack that is broken: every link through a proxy, both consumers ready to die where they are told to."""

import asyncio
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from devstack import services
from devstack.servers import describe_servers
from devstack.services import STEPS, Choices, with_login
from devstack.stack import Stack
from devstack.state import State

from faults import crash
from faults.llm import Llm
from faults.proxy import Link, Links
from faults.record import Addresses

# Short waits, so that a run comes to rest soon; the rate limit is not what is tested.
_SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "gateway": {
        "GATEWAY_RATE_PER_S": "1000000",
        "GATEWAY_RATE_BURST": "1000000",
        "GATEWAY_PREVIEW_TIMEOUT_S": "8",
    },
    "fix-outcomes": {},
    "note-generator": {
        "NOTE_GENERATOR_QUIET_S": "0.3",
        "NOTE_GENERATOR_MAX_WAIT_S": "1.5",
        "NOTE_GENERATOR_LEASE_S": "1.5",
    },
}
_WRITER: Final = "note-generator"
_SERVERS: Final = {"amqp": "rabbitmq", "postgresql": "postgres", "redis": "redis"}
SOURCES: Final = (
    "shared/src",
    "services/gateway/src",
    "services/fix-outcomes/src",
    "services/note-generator/src",
)


class Stage:
    """A stack of its own under a folder, with its links. `sources`: another tree whose code the services run.

    `of`: which services and steps run that code, where not all of them do.
    """

    def __init__(
        self, folder: Path, *, sources: Path | None = None, of: Collection[str] | None = None
    ) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.links: dict[str, Link] = {}
        self._sources, self._of = sources, of
        self._cleanup = ExitStack()
        self._settings: dict[str, dict[str, str]] = {}
        self.stack: Stack
        self.llm: Llm

    def __enter__(self) -> Self:
        self.llm = self._cleanup.enter_context(Llm())
        self._settings = self._settle(self._cleanup.enter_context(Links()))
        self.stack = self._describe(replicas=1)
        self._cleanup.callback(self._end)
        try:
            self.stack.__enter__()
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    def _end(self) -> None:
        self.stack.down()

    @asynccontextmanager
    async def scaled(self, replicas: int) -> AsyncIterator[None]:
        """So many replicas of every service, for a while."""
        if replicas == 1:
            yield
            return
        await asyncio.to_thread(self._scale, replicas)
        try:
            yield
        finally:
            await asyncio.to_thread(self._scale, 1)

    def _scale(self, replicas: int) -> None:
        self.stack = self._describe(replicas=replicas)
        self.stack.up()

    def _describe(self, *, replicas: int) -> Stack:
        return Stack(
            self.folder,
            replicas=dict.fromkeys(_SETTINGS, replicas),
            settings=self._settings,
            commands={service: _program(service) for service in crash.PROGRAMS},
            environment={},
        )

    @property
    def addresses(self) -> Addresses:
        """The servers themselves, past the proxies."""
        at = self.stack.servers
        return Addresses(at.database_url, at.amqp_url, at.redis_url)

    def user_url(self, user: str) -> str:
        """The broker as the user of a service."""
        return with_login(self.stack.servers.amqp_url, user, self.stack.state.secret(f"amqp:{user}"))

    def token(self, account: str, role: str) -> str:
        """A bearer token."""
        return self.stack.token(account_id=account, role=role)

    async def restore(self, *, model: bool = False) -> None:
        """Whatever an experiment left behind is put right: links, processes, orders to die.

        `model`: note-generator asks a language model from now on, or no more.
        """
        for link in self.links.values():
            link.heal()
        for service in crash.PROGRAMS:
            crash.order_path(self.folder, service).unlink(missing_ok=True)
        self.llm.mood = None
        plain = {
            name: value for name, value in self._settings[_WRITER].items() if name not in self.llm.settings
        }
        self._settings[_WRITER] = {**plain, **(self.llm.settings if model else {})}
        self.stack.configure(_WRITER, settings=self._settings[_WRITER], command=_program(_WRITER))
        await asyncio.to_thread(self._start_all)

    @contextmanager
    def otherwise(self, service: str, settings: Mapping[str, str]) -> Iterator[None]:
        """A service with other settings, for a while."""
        ordinary = self._settings[service]
        try:
            self._reconfigure(service, {**ordinary, **settings})
            yield
        finally:
            self._reconfigure(service, ordinary)

    def _reconfigure(self, service: str, settings: dict[str, str]) -> None:
        self._settings[service] = settings
        command = _program(service) if service in crash.PROGRAMS else None
        self.stack.configure(service, settings=settings, command=command)
        self.stack.restart(service)

    def runs_todays(self, step: str) -> None:
        """From now on this step is today's: what that has done to a server, the other tree's may not know."""
        self._settings.pop(step, None)

    def _start_all(self) -> None:
        for name in self.stack.names():
            self.stack.resume(name)
            self.stack.start(name)
        self.stack.wait_ready()

    def _settle(self, proxies: Links) -> dict[str, dict[str, str]]:
        state = State.load(self.folder)
        at = describe_servers(state, durable=False, environment={}).addresses
        ordinary = services.programs(state, at, Choices(), {})
        settings: dict[str, dict[str, str]] = {}
        for service, own in _SETTINGS.items():
            linked = self._linked(proxies, service, ordinary[service].environment)
            settings[service] = {**own, **linked, crash.FOLDER: str(self.folder)}
        return settings | self._other_sources(settings)

    def _other_sources(self, settings: Mapping[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        """The services and their steps import from the other tree first."""
        if self._sources is None:
            return {}
        path = {"PYTHONPATH": ":".join(str(self._sources / each) for each in SOURCES)}
        others = (*settings, *STEPS) if self._of is None else self._of
        return {name: settings.get(name, {}) | path for name in others}

    def _linked(self, proxies: Links, service: str, environment: Mapping[str, str]) -> dict[str, str]:
        """Every address of a server, as the launcher would give it to this service, but through a proxy."""
        linked = {}
        for name, url in environment.items():
            server = _SERVERS.get(urlsplit(url).scheme) if name.endswith("_URL") else None
            if server is not None:
                link = f"{service}-{server}"
                self.links[link] = self.links.get(link) or proxies.to(url)
                linked[name] = self.links[link].instead_of(url)
        return linked


def _program(service: str) -> tuple[str, ...]:
    """Its command line, ready to die where it is told to."""
    return sys.executable, "-m", "faults.crash", service
