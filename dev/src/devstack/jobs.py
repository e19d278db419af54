"""A started program as the state remembers it: watched, signalled, and ended without a trace."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals

from devstack.procfs import Identity, belongings
from devstack.state import State

POLL_SECONDS = 0.03


class Job:
    """Needs nothing but the state, so that any later command can end what an earlier one started."""

    def __init__(self, name: str, state: State) -> None:
        self.name = name
        self.state = state
        self.log_start = 0

    @property
    def log(self) -> Path:
        """Where stdout and stderr go."""
        return self.state.log(self.name)

    @property
    def mark(self) -> str:
        """What its processes carry in their environment."""
        return f"{self.state.id}/{self.name}"

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
        self._reap()
        return self.state.alive(self.name)

    def stop(self, timeout: float = 15) -> None:
        """Ask it to end, wait, and after `timeout` seconds end it; leaves nothing of it behind."""
        running = self.state.processes.get(self.name)
        if running and running.identity.alive():
            running.identity.send(Signals(running.stop_signal))
            self.resume()
            self._wait_gone((running.identity,), timeout)
        self.kill()
        self.state.forget(self.name)

    def end(self) -> None:
        """Stop it for good: nothing that it holds is needed any more."""
        running = self.state.processes.get(self.name)
        self.stop(running.patience_at_end if running else 0)

    def kill(self) -> None:
        """SIGKILL to it and to all that it started; returns when they are gone."""
        doomed = belongings(self.identity, self.mark)
        for process in doomed:
            process.send(SIGKILL)
        self._wait_gone(doomed, timeout=10)

    def pause(self) -> None:
        """SIGSTOP to it and to all that it started; returns when they have stopped, which a busy machine delays.

        Raises TimeoutError where one of them goes on.
        """
        processes = self._send_all(SIGSTOP)
        if not self._wait_until(lambda: all(process.stopped() for process in processes), timeout=10):
            raise TimeoutError(f"{self.name} does not stop")

    def resume(self) -> None:
        """SIGCONT to it and to all that it started."""
        self._send_all(SIGCONT)

    def tail(self, lines: int = 20) -> str:
        """The last lines of what it wrote since this object started it."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _send_all(self, signal: Signals) -> tuple[Identity, ...]:
        processes = belongings(self.identity, self.mark)
        for process in processes:
            process.send(signal)
        return processes

    def _wait_gone(self, processes: tuple[Identity, ...], timeout: float) -> None:
        self._wait_until(lambda: not any(process.alive() for process in processes), timeout)
        self._reap()

    def _wait_until(self, holds: Callable[[], bool], timeout: float) -> bool:
        """Whether it held in time."""
        deadline = time.monotonic() + timeout
        while not (held := holds()) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS / 3)
        return held

    def _reap(self) -> None:
        """Take leave of it, if it was our child and has ended: else it would stay in the process table."""
        if self.identity:
            with suppress(ChildProcessError):
                os.waitpid(self.identity.pid, os.WNOHANG)
