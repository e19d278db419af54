"""One program of a stack: how it is started, and how one sees from outside that it is ready."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from signal import SIGTERM, Signals

from devstack.jobs import POLL_SECONDS, Job
from devstack.procfs import MARK, Identity
from devstack.state import Running, State

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "COVERAGE_PROCESS_START")


class StartFailedError(Exception):
    """A process ended or stayed unready; the text names it and shows the end of its log."""


@dataclass(frozen=True)
class Program:
    """What to run, and what its owner knows about running it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    prepare: Callable[[], None] = lambda: None
    stop_signal: Signals = SIGTERM
    patience_at_end: float = 15
    try_again_after: str | None = None

    def fingerprint(self) -> str:
        """Changes when the program would be started in another way."""
        return hashlib.sha256(json.dumps([self.command, dict(self.environment)]).encode()).hexdigest()


class Process(Job):
    """A program and its process; finds the process again that an earlier command started."""

    def __init__(self, program: Program, state: State) -> None:
        super().__init__(program.name, state)
        self.program = program

    def well(self) -> bool:
        """Whether it runs, was started as it would be started now, and is ready."""
        return self._current() and self.program.ready()

    def start(self) -> None:
        """Start it unless it runs; returns before it is ready. One that was started otherwise is replaced."""
        if self._current():
            return
        self.stop()
        self.program.prepare()
        pid = self._spawn()
        running = Running(
            identity=Identity.of(pid) or Identity(pid, "ended"),
            fingerprint=self.program.fingerprint(),
            stop_signal=self.program.stop_signal,
            patience_at_end=self.program.patience_at_end,
        )
        self.state.record(self.name, running)

    def wait_ready(self, timeout: float = 60) -> None:
        """Return once it answers; raises StartFailedError if it ends, or is silent for `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.program.ready():
            if not self.alive():
                self._start_again_or_fail(deadline)
            if time.monotonic() > deadline:
                raise StartFailedError(f"{self.name} was not ready within {timeout:g} s\n{self.tail()}")
            time.sleep(POLL_SECONDS)

    def restart(self) -> None:
        """Stop and start it, on the same port and data, and wait until it is ready."""
        self.stop()
        self.start()
        self.wait_ready()

    def _current(self) -> bool:
        running = self.state.processes.get(self.name)
        return self.alive() and running is not None and running.fingerprint == self.program.fingerprint()

    def _spawn(self) -> int:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        try:
            # Not a Popen: whoever ends the process, in this or a later command, needs only its pid.
            return os.posix_spawnp(
                self.program.command[0],
                self.program.command,
                {**passed_on(), **self.program.environment, MARK: self.mark},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
            )
        except OSError as error:
            raise StartFailedError(f"{self.name} could not be started: {error}") from error

    def _start_again_or_fail(self, deadline: float) -> None:
        tail = self.tail()
        passing = self.program.try_again_after
        if not (passing and passing in tail) or time.monotonic() > deadline:
            raise StartFailedError(f"{self.name} ended while it was starting\n{tail}")
        time.sleep(POLL_SECONDS * 5)
        self.start()


def passed_on() -> dict[str, str]:
    """The little of our own environment that a child may see: where things are, and no setting of ours."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}
