"""The load: wrk, with a script that goes round the fixes; and who used how much of the processor meanwhile.

`python -m benchmarks.load` installs wrk.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devstack.binaries import NotInstalledError
from devstack.install import install_packages

_TICKS = os.sysconf("SC_CLK_TCK")

_SCRIPT = """
local paths = {}
for line in io.lines("%(paths)s") do paths[#paths + 1] = line end
local headers = {["Authorization"] = "Bearer %(token)s", ["Content-Type"] = "application/json"}
local n = 0
function request()
  n = n + 1
  local notes = "Client power-cycles the router after 18:00; line test no. " .. n
  return wrk.format("PATCH", paths[n %% #paths + 1], headers, '{"outcome":"applied_pending","notes":"' .. notes .. '"}')
end
local refused = {}
function response(status)
  if status ~= 200 then refused[status] = (refused[status] or 0) + 1; print("status " .. status) end
end
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One run of wrk. `cpu_us` is microseconds of processor for one PATCH, by process."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    cpu_us: Mapping[str, float]
    load_cpu_us: float

    @property
    def per_s(self) -> float:
        return self.requests / self.seconds

    @property
    def total_cpu_us(self) -> float:
        return sum(self.cpu_us.values())


def require_wrk(report: Callable[[str], None]) -> None:
    """Have wrk: install it where that can be done without a question, else exit with what to do."""
    if shutil.which("wrk"):
        return
    try:
        install_packages(("wrk",), report)
    except NotInstalledError as error:
        raise SystemExit(f"The benchmark's load comes from wrk, which is not here. {error}") from error


def write_script(folder: Path, *, name: str, paths: Sequence[str], token: str) -> Path:
    """wrk's script for these fixes."""
    listed = folder / f"{name}.paths"
    listed.write_text("\n".join(paths) + "\n")
    script = folder / f"{name}.lua"
    script.write_text(_SCRIPT % {"paths": listed, "token": token})
    script.chmod(0o600)
    return script


def run(url: str, script: Path, *, clients: int, seconds: int, pids: Mapping[str, int]) -> Result:
    """Load for this long. `pids`: whose processor time to count, with that of their children."""
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    own_before = os.times()
    done = subprocess.run(
        ["wrk", "--threads", "1", "--connections", str(clients), "--duration", f"{seconds}s",
         "--latency", "--script", str(script), url],
        check=True, capture_output=True, text=True, timeout=seconds + 30,
    )  # fmt: skip
    after = {name: cpu_s(pid) for name, pid in pids.items()}
    own_after = os.times()
    requests, took = _found(r"(\d+) requests in ([\d.]+)s", done.stdout)
    count = int(requests)
    if not count:
        raise SystemExit(f"{url} answered nothing in {seconds} s: is this machine busy with something else?")
    load_s = own_after.children_user + own_after.children_system
    load_s -= own_before.children_user + own_before.children_system
    return Result(
        requests=count,
        seconds=float(took),
        p50_ms=_ms(_found(r"50%\s+([\d.]+\w+)", done.stdout)[0]),
        p99_ms=_ms(_found(r"99%\s+([\d.]+\w+)", done.stdout)[0]),
        refused=done.stdout.count("status "),
        cpu_us={name: (after[name] - before[name]) / count * 1e6 for name in pids},
        load_cpu_us=load_s / count * 1e6,
    )


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and of its children that live, e.g. a database's backends."""
    total = _own_cpu_s(pid)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _parent(int(entry.name)) == pid:
            total += _own_cpu_s(int(entry.name))
    return total


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _own_cpu_s(pid: int) -> float:
    stat = _stat(pid)
    return (int(stat[11]) + int(stat[12])) / _TICKS if stat else 0.0


def _parent(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[1]) if stat else 0


def _found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"wrk printed no {pattern!r}:\n{text}")
    return match.groups()


def _ms(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


if __name__ == "__main__":
    require_wrk(print)
