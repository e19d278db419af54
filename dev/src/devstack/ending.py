"""How a stack ends, whoever started it and however much of it is still there."""

import fcntl
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL

from devstack.jobs import Job
from devstack.parallel import together
from devstack.procfs import marked_by
from devstack.state import State

SERVERS = ("postgres", "rabbitmq", "redis")


def end_all(state: State, *, keep: Collection[str] = ()) -> None:
    """End all processes but those in `keep`; when nothing is kept, remove data and secrets too."""
    doomed = [Job(name, state) for name in state.processes if name not in keep]
    together((job for job in doomed if job.name not in SERVERS), Job.end)
    together((job for job in doomed if job.name in SERVERS), Job.end)
    if not keep:
        _end_unrecorded(state)
        discard_data(state)


def discard_data(state: State) -> None:
    """Remove what the servers kept, and the state itself; the logs stay."""
    inside = (state.folder / name for name in SERVERS)
    for folder in (*inside, *map(Path, state.folders.values())):
        shutil.rmtree(folder, ignore_errors=True)
    (state.folder / "stack.env").unlink(missing_ok=True)
    state.path.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One command at a time on a run folder; the others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _end_unrecorded(state: State) -> None:
    """A command that was killed may have started a process and not have written it down."""
    for orphan in marked_by(f"{state.id}/"):
        orphan.send(SIGKILL)
