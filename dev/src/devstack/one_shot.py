"""The one-shot commands that prepare database and broker; their output is kept like a service's log."""

import subprocess
from collections.abc import Mapping, Sequence

from devstack.jobs import Job
from devstack.processes import StartFailedError, passed_on
from devstack.procfs import MARK
from devstack.state import State

LONGEST_SECONDS = 120


def run_step(name: str, command: Sequence[str], environment: Mapping[str, str], state: State) -> None:
    """Run it to its end; raises StartFailedError with the end of its output."""
    job = Job(name, state)
    job.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with job.log.open("ab") as log:
        job.log_start = log.tell()
        try:
            done = subprocess.run(
                command,
                env={**passed_on(), **environment, MARK: job.mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=LONGEST_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StartFailedError(f"{name}: {error}\n{job.tail()}") from error
    if done.returncode:
        raise StartFailedError(f"{name} failed with exit code {done.returncode}\n{job.tail()}")
