"""The short form of `make bench`: both sides answer, and the record is what was answered. How fast is not looked at."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHORT = ("--clients", "4", "--seconds", "2", "--rounds", "1", "--warmup", "3", "--sessions", "8")


@pytest.mark.skipif(shutil.which("wrk") is None, reason="its load comes from wrk, which is not here")
def test_the_benchmark_loads_both_sides_and_finds_every_answer_in_the_journal(tmp_path: Path) -> None:
    rows = tmp_path / "runs.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", *SHORT, "--json", str(rows)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 answers that are not in the journal" in done.stdout
    runs = {run["side"]: run for run in json.loads(rows.read_text())}
    assert set(runs) == {"monolith", "this stack"}
    assert all(run["per_s"] > 0 and run["refused"] == 0 for run in runs.values())
