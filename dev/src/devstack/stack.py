"""The whole stack on one machine: servers, the commands that prepare them, and the three services."""

import os
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack import leash, services
from devstack.ending import end_all, locked
from devstack.install import ensure_installed
from devstack.jobs import Job
from devstack.one_shot import run_step
from devstack.parallel import together
from devstack.processes import Process, Program
from devstack.servers import Server, Servers, describe_servers
from devstack.services import SERVICES, STEPS, Choices
from devstack.state import State
from devstack.tokens import A_DAY, mint


class Stack:
    """Servers and services under one run folder. `with Stack(folder) as stack:` leaves no process behind.

    Names of processes: `gateway`, `fix-outcomes`, `note-generator`, their replicas `gateway-2`, …, and
    `postgres`, `rabbitmq`, `redis` where they are ours.
    """

    def __init__(
        self,
        folder: Path,
        *,
        replicas: Mapping[str, int] | None = None,
        settings: Mapping[str, Mapping[str, str]] | None = None,
        commands: Mapping[str, Sequence[str]] | None = None,
        durable: bool = False,
        servers: Servers | None = None,
        environment: Mapping[str, str] | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Nothing is started yet.

        `settings` adds environment variables and `commands` another command line, per service, per replica
        or for the steps `database-apply`, `topology-apply` and `cache-apply`. `servers` are used and left
        alone. `durable` keeps fsync on. `environment` (default: ours) may name servers (RF_*_URL) and holds
        NOTE_GENERATOR_*.
        """
        self.folder = folder.resolve()
        self.state = State.load(self.folder)
        self.already_up = False
        self._choices = Choices(replicas or {}, settings or {}, commands or {})
        self._durable = durable
        self._given = dict(os.environ if environment is None else environment)
        self._report = report
        self._borrowed = servers is not None
        self._servers = servers
        self._services: dict[str, Process] = {}

    def up(self) -> Self:
        """Start what does not run and return when all is ready; a second call changes nothing.

        Raises StartFailedError, naming the process and showing the end of its log, after ending whatever
        this call has started.
        """
        return self._bring_up(leashed=False)

    def down(self) -> None:
        """End every process of this folder and remove data and secrets; the logs stay."""
        with locked(self.folder):
            end_all(self.state)

    def __enter__(self) -> Self:
        return self._bring_up(leashed=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    @property
    def servers(self) -> Servers:
        """The servers behind the services, with an administrator's URLs."""
        if self._servers is None:
            raise RuntimeError("the stack is not up")
        return self._servers

    def __getitem__(self, name: str) -> Server:
        """One process; KeyError when there is none of this name that is ours."""
        return self._services[name] if name in self._services else self.servers[name]

    def names(self) -> tuple[str, ...]:
        """Every process of this stack, servers first."""
        return (*self.servers.own, *self._services)

    def start(self, name: str) -> None:
        """Start it if it does not run; returns before it is ready."""
        self[name].start()

    def stop(self, name: str) -> None:
        """Ask it to end, and wait until it has."""
        self[name].stop()

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self[name].kill()

    def restart(self, name: str) -> None:
        """Stop, start and wait until it is ready, on the same port and data."""
        self[name].restart()

    def pause(self, name: str) -> None:
        """SIGSTOP, until `resume`."""
        self[name].pause()

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self[name].resume()

    def wait_ready(self, name: str | None = None, timeout: float = 60) -> None:
        """Wait for one process, or for all of them."""
        for each in [name] if name else self.names():
            self[each].wait_ready(timeout)

    def pids(self) -> dict[str, int]:
        """The pid to signal, of every process that runs."""
        return {name: pid for name in self.names() if (pid := self[name].pid)}

    def environment(self, name: str) -> Mapping[str, str]:
        """What a service process is started with: its URLs, logins and settings."""
        return self._services[name].program.environment

    def configure(
        self, name: str, *, settings: Mapping[str, str] | None = None, command: Sequence[str] | None = None
    ) -> None:
        """Start this service, or this replica, otherwise from its next `start` on; with neither, as usual."""
        self._choices = self._choices.changed(name, settings, command)
        for process, program in self._programs().items():
            self._services[process].program = program

    def log(self, name: str) -> Path:
        """The file with what it wrote."""
        return self.state.log(name)

    def url(self, name: str = "gateway") -> str:
        """Where a service process serves HTTP; no path."""
        return services.url(self.state, name)

    @property
    def gateway_urls(self) -> tuple[str, ...]:
        """Every replica of the gateway."""
        return tuple(self.url(name) for name in self._services if services.service_of(name) == "gateway")

    @property
    def jwt_secret(self) -> str:
        """The HS256 secret of the gateways."""
        return self.state.secret("jwt")

    def token(
        self,
        *,
        account_id: uuid.UUID | str,
        role: str = "engineer",
        sub: uuid.UUID | str | None = None,
        name: str | None = None,
        ttl: timedelta = A_DAY,
    ) -> str:
        """A bearer token that the gateways accept."""
        return mint(self.jwt_secret, account_id=account_id, role=role, sub=sub, name=name, ttl=ttl)

    def _bring_up(self, *, leashed: bool) -> Self:
        if not self._borrowed:
            ensure_installed(self._given, self._report)
        with locked(self.folder):
            self._load()
            before = {name for name in self.state.processes if self.state.alive(name)}
            try:
                if leashed:
                    leash.put_on(self.state)
                self._start_what_is_missing()
            except BaseException:
                end_all(self.state, keep=before)
                raise
        return self

    def _load(self) -> None:
        self.state = State.load(self.folder)
        if not self.state.path.exists():
            shutil.rmtree(self.state.logs, ignore_errors=True)

    def _start_what_is_missing(self) -> None:
        if not self._borrowed:
            self.state.release_lost_ports()
            self._servers = describe_servers(self.state, durable=self._durable, environment=self._given)
        self._services = {name: Process(program, self.state) for name, program in self._programs().items()}
        self._end_superfluous()
        self.already_up = self._all_well()
        if not self.already_up:
            self._start_everything()

    def _programs(self) -> dict[str, Program]:
        return services.programs(self.state, self.servers.addresses, self._choices, self._given)

    def _all_well(self) -> bool:
        ours = [*self.servers.own.values(), *self._services.values()]
        return all(process.well() for process in ours)

    def _start_everything(self) -> None:
        if not self._borrowed:
            self._announce(self.servers.own)
        self._report("preparing the database, the broker and the cache")
        steps = services.steps(self.state, self.servers.addresses, self._choices)

        def prepare(name: str) -> None:
            if not self._borrowed:
                self.servers.make_ready(STEPS[name])
            run_step(name, *steps[name], self.state)

        together(STEPS, prepare)
        self._announce(self._services)
        together(self._services.values(), lambda service: service.start())
        together(self._services.values(), lambda service: service.wait_ready())

    def _announce(self, processes: Mapping[str, Server]) -> None:
        if absent := [name for name, process in processes.items() if not process.alive()]:
            self._report(f"starting {', '.join(absent)}")

    def _end_superfluous(self) -> None:
        """Replicas of an earlier `up` that are not asked for any more."""
        for name in tuple(self.state.processes):
            if services.service_of(name) in SERVICES and name not in self._services:
                Job(name, self.state).end()
