"""The simulation itself: it holds, it looks at everything that it can see, and a seed does the same each time."""

import gc
import hashlib
import os
import re

from faults.simulation.command import python, simulate
from faults.simulation.loop import VirtualLoop
from faults.simulation.redis import Redis
from faults.simulation.simulate import evidence_of
from faults.simulation.world import World

SEEDS = 100
UNSEEN = {"S15", "L1"}
"""No model is paid there, and a run is over before a service has had ten seconds to recover."""

THREE = ("a", "b", "c")
DIGEST_THERE = """
import logging, structlog
from faults.test_simulation import digest
logging.disable(logging.CRITICAL)
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
print(digest())
"""


def digest() -> str:
    """Of everything that three seeds tell."""
    told = [(e.history, e.events, e.record.tables, e.record.notes) for e in map(evidence_of, THREE)]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def test_the_core_keeps_every_invariant_on_servers_in_memory() -> None:
    done = simulate(seeds=SEEDS, seed="short")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{SEEDS} seeds" in done.stdout
    [checked] = re.findall("^checked: (.*)$", done.stdout, re.MULTILINE)
    looked_at = dict(each.split() for each in checked.split(", "))
    assert {name for name, number in looked_at.items() if number == "0"} == UNSEEN


def test_of_a_world_that_is_over_nothing_stays_in_memory() -> None:
    evidence = evidence_of("over")
    gc.collect()
    assert evidence.stored
    assert not [each for each in gc.get_objects() if isinstance(each, World | Redis | VirtualLoop)]


def test_a_seed_does_the_same_to_the_last_message_in_whatever_process() -> None:
    another = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    there = python("-c", DIGEST_THERE, hash_seed=another)
    assert (there.returncode, there.stdout.strip()) == (0, digest()), there.stderr
