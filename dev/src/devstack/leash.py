"""Ends a stack whose Python owner died without doing so: a killed test run leaves no servers behind.

Runs as `python -m devstack.leash <pid of the owner> <run folder>`, a process of the stack like the others.
"""

import os
import select
import sys
from pathlib import Path

from devstack.ending import end_all, locked
from devstack.processes import Process, Program
from devstack.state import State

NAME = "leash"


def put_on(state: State) -> None:
    """Let the stack of this state end with the process that calls this."""
    command = (sys.executable, "-m", "devstack.leash", str(os.getpid()), str(state.folder))
    Process(Program(name=NAME, command=command, environment={}, ready=lambda: True), state).start()


def main(owner: int, folder: Path) -> None:
    """Wait for the owner's end, however it comes, then end what it left."""
    _wait_for_the_end(owner)
    with locked(folder):
        state = State.load(folder)
        if state.processes.pop(NAME, None):
            end_all(state)


def _wait_for_the_end(pid: int) -> None:
    try:
        owner = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    select.select([owner], [], [])
    os.close(owner)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
