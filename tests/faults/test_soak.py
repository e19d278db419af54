"""The short form of `make soak`: random faults for less than a minute, and memory where it was."""

from pathlib import Path

import pytest

from faults.running import theatre
from faults.soak import soak
from faults.table import Line


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_a_soak_leaves_a_sound_record_and_memory_where_it_was(tmp_path: Path) -> None:
    told: list[Line] = []
    async with theatre(tmp_path) as stage:
        soaked = await soak(stage, minutes=0.5, seed="short", every_s=5, report=told.append)
    assert soaked.failures == ()
    assert tuple(told) == soaked.lines
    assert len(told) >= 3
