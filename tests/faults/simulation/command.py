"""`faults simulate`, and whatever else of Python's, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def simulate(*, seeds: int, seed: str, sources: Sequence[Path] = ()) -> subprocess.CompletedProcess[str]:
    """As from the command line. `sources`: folders that the core is imported from, instead of the usual ones."""
    return python("-m", "faults", "simulate", "--seeds", str(seeds), "--seed", seed, sources=sources)


def python(
    *arguments: str, sources: Sequence[Path] = (), hash_seed: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with what it says. `hash_seed`: what strings hash by, else chosen by chance."""
    path = {"PYTHONPATH": os.pathsep.join(map(str, sources))} if sources else {}
    hashes = {"PYTHONHASHSEED": hash_seed} if hash_seed else {}
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | path | hashes,
        capture_output=True,
        text=True,
        check=False,
    )
