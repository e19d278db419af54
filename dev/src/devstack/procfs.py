"""Whose process is this? Answers from /proc, so that no process that is not ours is ever signalled."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Self

PROC = Path("/proc")
MARK = "DEVSTACK_PROCESS"
_STOPPED = frozenset({"T", "t", "Z", "X"})


@dataclass(frozen=True)
class Identity:
    """A process for all time: a pid may come back after a reboot or a wrap-around, this pair does not."""

    pid: int
    born: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The process that has this pid now; None when it ended, also when nobody has reaped it yet."""
        status = _status(pid)
        if status is None or (status.state in {"Z", "X"} and status.threads <= 1):
            return None
        return cls(pid, f"{_boot()}/{status.started}")

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Identity.of(self.pid) == self

    def stopped(self) -> bool:
        """Whether none of its threads runs until SIGCONT; true of a process that has ended."""
        threads = (_state(thread) for thread in (PROC / str(self.pid) / "task").glob("*"))
        return not self.alive() or all(state in _STOPPED for state in threads)

    def send(self, signal: Signals) -> None:
        """Signal it, if it still runs and is still the same process."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal)


@dataclass(frozen=True)
class _Status:
    state: str
    parent: int
    group: int
    threads: int
    started: str


def belongings(leader: Identity | None, mark: str) -> tuple[Identity, ...]:
    """Everything that a program started: its group and descendants while it lives, and what bears its mark.

    The leader comes first. Postgres' backends leave their group and overwrite their environment, an epmd
    outlives its broker: no single one of the three would find them all.
    """
    pids = dict.fromkeys(_family(leader.pid) if leader and leader.alive() else ())
    pids |= dict.fromkeys(pid for pid, found in _marks() if found == mark)
    return tuple(found for pid in pids if (found := Identity.of(pid)))


def marked_by(prefix: str) -> tuple[Identity, ...]:
    """Every process whose mark starts so, also those that were never recorded."""
    return tuple(found for pid, mark in _marks() if mark.startswith(prefix) and (found := Identity.of(pid)))


def _family(leader: int) -> list[int]:
    statuses = {pid: status for pid in _pids() if (status := _status(pid))}
    family = [leader]
    for member in family:
        family += [pid for pid, status in statuses.items() if status.parent == member and pid not in family]
    return family + [pid for pid, status in statuses.items() if status.group == leader and pid not in family]


def _marks() -> Iterator[tuple[int, str]]:
    name = f"{MARK}=".encode()
    for pid in _pids():
        if pid == os.getpid():
            continue
        with suppress(OSError):
            for variable in (PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                if variable.startswith(name):
                    yield pid, variable.removeprefix(name).decode()


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _state(process_or_thread: Path) -> str:
    fields = _fields(process_or_thread)
    return fields[0] if fields else "X"


def _fields(process_or_thread: Path) -> list[str] | None:
    try:
        text = (process_or_thread / "stat").read_text()
    except OSError:
        return None
    # The name, in parentheses, may itself hold spaces and parentheses.
    return text.rpartition(")")[2].split()


def _status(pid: int) -> _Status | None:
    fields = _fields(PROC / str(pid))
    if fields is None:
        return None
    return _Status(
        state=fields[0],
        parent=int(fields[1]),
        group=int(fields[2]),
        threads=int(fields[17]),
        started=fields[19],
    )


def _boot() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()
