"""The short form of `make soak`: one shift of few faults in an order of chance, and memory where it was."""

from pathlib import Path

from faults.experiment import Pace
from faults.running import Theatre
from faults.soak import soak
from faults.stage import Stage
from faults.table import Line
from faults.witness import Witness

ONE_SHIFT_MINUTES = 0.01
FAULTS = ("gateway-kill", "note-generator-kill", "link-cut-gateway-rabbitmq", "redis-flushall")


async def test_a_soak_leaves_a_sound_record_and_memory_where_it_was(
    stage: Stage, seen: Witness, tmp_path: Path
) -> None:
    told: list[Line] = []
    soaked = await soak(
        Theatre(stage, seen, tmp_path),
        minutes=ONE_SHIFT_MINUTES,
        seed="short",
        every_s=1,
        faults=FAULTS,
        warm=Pace(),
        report=told.append,
    )
    assert soaked.failures == ()
    assert tuple(told) == soaked.lines
    assert [line.verdict for line in told] == ["clean"] * 3
