"""The simulation itself: it holds, it looks at everything that it can see, and a seed does the same each time."""

import gc
import os
import subprocess
import sys

from faults.simulation import campaign
from faults.simulation.loop import VirtualLoop
from faults.simulation.redis import Redis
from faults.simulation.simulate import evidence_of
from faults.simulation.world import World

SEEDS = 100
UNSEEN = {"S15", "L1"}
"""No model is paid there, and a run is over before a service has had ten seconds to recover."""

DIGEST = """
import hashlib, logging, structlog
from faults.simulation.simulate import evidence_of
logging.disable(logging.CRITICAL)
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
told = [(e.history, e.events, e.record.tables, e.record.notes) for e in map(evidence_of, ("a", "b", "c"))]
print(hashlib.sha256(repr(told).encode()).hexdigest())
"""


def test_the_core_keeps_every_invariant_on_servers_in_memory() -> None:
    done = campaign.run([f"short-{number}" for number in range(SEEDS)], cores=2)
    assert not done.broken, "\n".join(map(str, done.broken[:3]))
    assert {name for name, looked_at in done.checked.items() if not looked_at} <= UNSEEN


def test_of_a_world_that_is_over_nothing_stays_in_memory() -> None:
    evidence = evidence_of("over")
    gc.collect()
    assert evidence.stored
    assert not [each for each in gc.get_objects() if isinstance(each, World | Redis | VirtualLoop)]


def test_a_seed_does_the_same_to_the_last_message_in_whatever_process() -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", DIGEST],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("1", "2")
    ]
    digests = {run.communicate()[0] for run in runs}
    assert len(digests) == 1
    assert all(run.returncode == 0 for run in runs)
