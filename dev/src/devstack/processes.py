"""One program as a process of ours: started in its own group, watched, and ended without a trace."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals

from devstack.procfs import MARK, Identity, belongings
from devstack.state import Running, State

POLL_SECONDS = 0.03
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "COVERAGE_PROCESS_START")


class StartFailedError(Exception):
    """A process ended or stayed unready; the text names it and shows the end of its log."""


@dataclass(frozen=True)
class Program:
    """What to run, and how one sees from outside that it is ready."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    prepare: Callable[[], None] = lambda: None
    stop_signal: Signals = SIGTERM
    try_again_after: str | None = None
    patience_at_end: float = 15

    def fingerprint(self) -> str:
        """Changes when the program would be started in another way."""
        return hashlib.sha256(json.dumps([self.command, dict(self.environment)]).encode()).hexdigest()


@dataclass
class Process:
    """A program of a stack; finds the process again that an earlier command started."""

    program: Program
    state: State
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _log_start: int = field(default=0, repr=False)

    @property
    def name(self) -> str:
        """The name under which logs, pids and commands know it."""
        return self.program.name

    @property
    def log(self) -> Path:
        """Where stdout and stderr go."""
        return self.state.folder / "logs" / f"{self.name}.log"

    @property
    def identity(self) -> Identity | None:
        """The process, as it was recorded when it was started."""
        running = self.state.processes.get(self.name)
        return running.identity if running else None

    @property
    def pid(self) -> int | None:
        """The pid to signal; None while it does not run."""
        return self.identity.pid if self.identity and self.alive() else None

    def alive(self) -> bool:
        """Whether it runs; a paused process does."""
        if self._child is not None:
            self._child.poll()
        return self.identity is not None and self.identity.alive()

    def current(self) -> bool:
        """Whether it runs, and was started as it would be started now."""
        running = self.state.processes.get(self.name)
        return self.alive() and running is not None and running.fingerprint == self.program.fingerprint()

    def start(self) -> None:
        """Start it if it does not run; returns before it is ready."""
        if self.alive():
            return
        self.kill()
        self.program.prepare()
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._child = subprocess.Popen(
                self.program.command,
                env={**passed_on(), **self.program.environment, MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        identity = Identity.of(self._child.pid) or Identity(self._child.pid, "ended")
        self.state.record(self.name, Running(identity, self.program.fingerprint()))

    def wait_ready(self, timeout: float = 60) -> None:
        """Return once it answers; raises StartFailedError if it ends, or is silent for `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.program.ready():
            if not self.alive():
                self._start_again_or_fail(deadline)
            if time.monotonic() > deadline:
                raise StartFailedError(f"{self.name} was not ready within {timeout:g} s\n{self.tail()}")
            time.sleep(POLL_SECONDS)

    def stop(self, timeout: float = 15) -> None:
        """Ask it to end, wait, and after `timeout` seconds end it; leaves nothing of it behind."""
        leader = self.identity
        if leader and leader.alive():
            leader.send(self.program.stop_signal)
            self.resume()
            self._wait_gone((leader,), timeout)
        self.kill()
        self.state.forget(self.name)

    def end(self) -> None:
        """Stop it for good: nothing that it holds is needed any more."""
        self.stop(self.program.patience_at_end)

    def kill(self) -> None:
        """SIGKILL to it and to all that it started; returns when they are gone."""
        doomed = belongings(self.identity, self._mark)
        for process in doomed:
            process.send(SIGKILL)
        self._wait_gone(doomed, timeout=10)
        if self._child is not None and not self.alive():
            self._child.wait(timeout=10)

    def restart(self) -> None:
        """Stop and start it, on the same port and data, and wait until it is ready."""
        self.stop()
        self.start()
        self.wait_ready()

    def pause(self) -> None:
        """SIGSTOP to it and to all that it started."""
        self._send_all(SIGSTOP)

    def resume(self) -> None:
        """SIGCONT to it and to all that it started."""
        self._send_all(SIGCONT)

    def tail(self, lines: int = 20) -> str:
        """The last lines of what it wrote since this object started it."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    @property
    def _mark(self) -> str:
        return f"{self.state.id}/{self.name}"

    def _send_all(self, signal: Signals) -> None:
        for process in belongings(self.identity, self._mark):
            process.send(signal)

    def _wait_gone(self, processes: tuple[Identity, ...], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while any(process.alive() for process in processes) and time.monotonic() < deadline:
            if self._child is not None:
                self._child.poll()
            time.sleep(POLL_SECONDS / 3)

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
