"""`make bench`: the same outcome PATCHes on an in-process monolith and on this stack, in turn, in one run."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from uuid import uuid4

import httpx
from devstack.ports import free_port
from devstack.stack import Stack

from benchmarks import load, seed, verdict
from benchmarks.load import Result

SETTINGS = {"gateway": {"GATEWAY_RATE_PER_S": "1000000", "GATEWAY_RATE_BURST": "1000000"}}
"""The rate limit alone is raised: one account makes all the load here."""

POOL = 16


def main() -> int:
    """Measure, print the tables, and exit 1 where what was recorded is not what was answered."""
    options = _options()
    load.require_wrk(_say)
    with tempfile.TemporaryDirectory(prefix="rf-bench-") as folder:
        Path(folder).chmod(0o755)
        return measure(Path(folder), options)


def measure(folder: Path, options: argparse.Namespace) -> int:
    """Bring both up side by side on the same servers, and load them in turn."""
    account = uuid4()
    with Stack(folder / "stack", settings=SETTINGS, durable=True, report=_say) as stack:
        token = stack.token(account_id=account)
        _say(f"preparing {options.sessions} sessions, each with a fix, on both sides")
        ours = asyncio.run(seed.through_the_api(stack.url(), token, options.sessions))
        with _monolith(stack, folder, options) as (peer_url, peer_pid, peer_database):
            theirs = asyncio.run(seed.into_the_database(peer_database, account, options.sessions))
            sides = {
                "monolith": (
                    peer_url,
                    load.write_script(folder, name="monolith", paths=theirs, token=token),
                    {"monolith": peer_pid, "postgres": stack.pids()["postgres"]},
                ),
                "this stack": (
                    stack.url(),
                    load.write_script(folder, name="stack", paths=ours, token=token),
                    stack.pids(),
                ),
            }
            with _viewer(stack.url(), token, ours[0]):
                results = _in_turn(sides, options)
        _print(results, options)
        return verdict.judge(stack, account, answered=_answered(results), report=_say)


def _in_turn(
    sides: Mapping[str, tuple[str, Path, Mapping[str, int]]], options: argparse.Namespace
) -> dict[tuple[str, int], list[Result]]:
    results: dict[tuple[str, int], list[Result]] = {}
    for name, (url, script, pids) in sides.items():
        _say(f"warming up {name}")
        load.run(url, script, clients=16, seconds=options.warmup, pids=pids)
    for turn in range(options.rounds):
        for clients in options.clients:
            for name, (url, script, pids) in sides.items():
                result = load.run(url, script, clients=clients, seconds=options.seconds, pids=pids)
                results.setdefault((name, clients), []).append(result)
                _say(
                    f"round {turn + 1}: {name}, {clients} clients: {result.per_s:.0f}/s, p50 {result.p50_ms:.1f} ms"
                )
    return results


@contextmanager
def _monolith(stack: Stack, folder: Path, options: argparse.Namespace) -> Iterator[tuple[str, int, str]]:
    database = asyncio.run(seed.fresh_database(stack.servers.database_url))
    port = free_port()
    environment = {
        "MONOLITH_DATABASE_URL": database.replace("postgresql://", "postgresql+asyncpg://", 1),
        "MONOLITH_JWT_SECRET": stack.jwt_secret,
        "MONOLITH_PORT": str(port),
        "MONOLITH_POOL": str(options.pool),
    }
    with (folder / "monolith.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers.monolith"],
            env={**os.environ, **environment}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_it_answers(url, process)
            yield url, process.pid, database
        finally:
            process.terminate()
            process.wait(timeout=10)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/openapi.json", timeout=1)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the monolith did not start; see its log")


@contextmanager
def _viewer(url: str, token: str, path: str) -> Iterator[None]:
    """One browser that watches one of the sessions."""
    session = path.split("/suggested-fixes/", maxsplit=1)[0]
    stop = threading.Event()

    def watch() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.stream("GET", f"{url}{session}/events", headers=headers, timeout=60) as events:
            for _line in events.iter_lines():
                if stop.is_set():
                    return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()


def _answered(results: Mapping[tuple[str, int], Sequence[Result]]) -> int:
    return sum(
        result.requests - result.refused
        for (name, _), runs in results.items()
        if name == "this stack"
        for result in runs
    )


def _print(results: Mapping[tuple[str, int], Sequence[Result]], options: argparse.Namespace) -> None:
    print(
        f"\n{options.rounds} rounds of {options.seconds} s, medians; {os.cpu_count()} cores, all on one machine;"
        f" {options.sessions} sessions; commit with fsync; the monolith's pool: {options.pool} connections.\n"
    )
    print("| | clients | requests/s | p50 | p99 | CPU per PATCH | of that |")
    print("|---|---|---|---|---|---|---|")
    for (name, clients), runs in sorted(results.items(), key=lambda each: (each[0][1], each[0][0])):
        parts = ", ".join(f"{part} {_mid(runs, part):.0f}" for part in runs[0].cpu_us)
        print(
            f"| {name} | {clients} | {median(r.per_s for r in runs):,.0f} | {median(r.p50_ms for r in runs):.1f} ms"
            f" | {median(r.p99_ms for r in runs):.1f} ms | {median(r.total_cpu_us for r in runs):,.0f} µs"
            f" | {parts} (wrk apart: {median(r.load_cpu_us for r in runs):.0f}) |"
        )
    print()
    for clients in options.clients:
        _print_ratio(clients, results["monolith", clients], results["this stack", clients])
    if options.json:
        _write_json(results, options.json)


def _print_ratio(clients: int, theirs: Sequence[Result], ours: Sequence[Result]) -> None:
    pairs = list(zip(theirs, ours, strict=True))
    print(
        f"{clients} clients, this stack to the monolith, round by round:"
        f" requests/s × {median(b.per_s / a.per_s for a, b in pairs):.2f},"
        f" CPU per PATCH × {median(b.total_cpu_us / a.total_cpu_us for a, b in pairs):.2f},"
        f" p50 × {median(b.p50_ms / a.p50_ms for a, b in pairs):.2f}"
    )


def _mid(runs: Sequence[Result], part: str) -> float:
    return median(run.cpu_us[part] for run in runs)


def _write_json(results: Mapping[tuple[str, int], Sequence[Result]], path: Path) -> None:
    rows = [
        {"side": name, "clients": clients, "per_s": r.per_s, "p50_ms": r.p50_ms, "p99_ms": r.p99_ms}
        | {"cpu_us": dict(r.cpu_us), "load_cpu_us": r.load_cpu_us, "refused": r.refused}
        for (name, clients), runs in results.items()
        for r in runs
    ]
    path.write_text(json.dumps(rows, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=__doc__)
    parser.add_argument("--clients", type=_numbers, default=[1, 16, 64], help="connections, with commas")
    parser.add_argument("--seconds", type=int, default=8, help="length of one run")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run, in turn")
    parser.add_argument("--warmup", type=int, default=3, help="seconds of load that are not counted")
    parser.add_argument("--sessions", type=int, default=256, help="sessions that the load goes round")
    parser.add_argument("--pool", type=int, default=POOL, help="the monolith's database connections")
    parser.add_argument("--json", type=Path, help="also write every run to this file")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
