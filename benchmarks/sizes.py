"""`python -m benchmarks.sizes`: memory and processor of each process, idle and under all the load that it takes."""

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from devstack.stack import Stack

from benchmarks import load, seed
from benchmarks.run import SETTINGS

MIB = 1024


def main() -> int:
    """Print a table for docs/deploy.md."""
    options = _options()
    load.require_wrk()
    with tempfile.TemporaryDirectory(prefix="rf-sizes-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Stack(folder / "stack", settings=SETTINGS, durable=True) as stack:
            token = stack.token(account_id=uuid4())
            idle = _memory(stack.pids(), "VmRSS")
            paths = asyncio.run(seed.through_the_api(stack.url(), token, options.sessions))
            script = load.write_script(folder, name="stack", paths=paths, token=token)
            result = load.run(
                stack.url(), script, clients=options.clients, seconds=options.seconds, pids=stack.pids()
            )
            _print(result, idle=idle, most=_memory(stack.pids(), "VmHWM"))
    return 0


def _print(result: load.Result, *, idle: Mapping[str, int], most: Mapping[str, int]) -> None:
    print(f"\n{result.per_s:,.0f} changes/s for {result.seconds:.0f} s, {result.refused} of them refused\n")
    print("| | idle | at most | processor for a change | for 50 changes/s |")
    print("|---|---|---|---|---|")
    for name, cpu_us in result.cpu_us.items():
        print(
            f"| {name} | {idle[name]} MiB | {most[name]} MiB | {cpu_us:.0f} µs | {cpu_us * 50 / 1e6:.3f} CPU |"
        )


def _memory(pids: Mapping[str, int], what: str) -> dict[str, int]:
    """MiB of each process, without its children."""
    return {name: _status(pid, what) // MIB for name, pid in pids.items()}


def _status(pid: int, what: str) -> int:
    found = re.search(rf"^{what}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.sizes", description=__doc__)
    parser.add_argument("--clients", type=int, default=64, help="connections")
    parser.add_argument("--seconds", type=int, default=30, help="length of the load")
    parser.add_argument("--sessions", type=int, default=256, help="sessions that the load goes round")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
