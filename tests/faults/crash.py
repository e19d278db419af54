"""Starts fix-outcomes or note-generator so that it can be told to die at a named point: `python -m faults.crash NAME`.

The product knows only that `create_app` takes a `checkpoint`. What to die of is in a file, so that a running process
can be told: the n-th pass of a point, or each pass that handles a certain command. It may be told to sleep there, too.
"""

import importlib
import os
import signal
import sys
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from shared import garbage

FOLDER: Final = "FAULTS_FOLDER"
REBORN: Final = "FAULTS_REBORN"
PROGRAMS: Final = {"fix-outcomes": "fix_outcomes", "note-generator": "note_generator"}

in_hand: ContextVar[frozenset[str]] = ContextVar("in_hand", default=frozenset())
"""The commands of the message that is being handled."""


@dataclass(frozen=True, slots=True)
class Order:
    """Die at `point` of the `at_pass`-th pass. With `command`: at every pass that has this command in hand.

    `crowd`: only passes with so many commands in hand count. `by`: SIGSTOP, to sleep and not to die.
    """

    point: str
    at_pass: int = 1
    command: str | None = None
    crowd: int = 0
    by: int = signal.SIGKILL

    def write(self, path: Path) -> None:
        """Give it to whatever process watches this path."""
        draft = path.with_suffix(".new")
        draft.write_bytes(orjson.dumps(asdict(self)))
        draft.rename(path)


def order_path(folder: Path, service: str) -> Path:
    """Where a service looks for its order."""
    return folder / f"{service}.order"


class Checkpoint:
    """Dies where it was told to. A single order is taken away first: whoever waits sees that it was carried out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._order: Order | None = None
        self._passes = 0

    async def __call__(self, point: str) -> None:
        """The process is at this point."""
        try:
            order = Order(**orjson.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return
        if order != self._order:
            self._order, self._passes = order, 0
        commands = in_hand.get()
        if point != order.point or len(commands) < order.crowd:
            return
        if order.command and order.command not in commands:
            return
        self._passes += 1
        if self._passes >= order.at_pass:
            if order.command is None:
                self._path.unlink(missing_ok=True)
            os.kill(os.getpid(), order.by)


def main(service: str) -> None:
    """Run the service as its own command line does, but for the checkpoint."""
    entry: Any = importlib.import_module(f"{PROGRAMS[service]}.__main__")
    # Before the command line imports it.
    app: Any = importlib.import_module(f"{PROGRAMS[service]}.app")
    checkpoint = Checkpoint(order_path(Path(os.environ[FOLDER]), service))
    app.create_app = partial(app.create_app, checkpoint=checkpoint)
    if service == "fix-outcomes":
        _note_commands()
    if REBORN in os.environ:
        _live_again_and_again()
    entry.run()


def _note_commands() -> None:
    subscribers: Any = importlib.import_module("fix_outcomes.subscribers")
    read = subscribers.read_commands

    def noting(body: bytes) -> Any:
        batch, malformed = read(body)
        in_hand.set(frozenset(str(command.command_id) for command in batch))
        return batch, malformed

    subscribers.read_commands = noting


def _live_again_and_again() -> None:
    """Return in a child; when it is killed, in another. All that takes long was done before."""
    garbage.collect_seldom()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while child := os.fork():
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            os._exit(os.waitstatus_to_exitcode(status))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A child must not outlive its parent.
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
