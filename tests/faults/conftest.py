"""The stack that is broken: one for all of these tests, each of which leaves it whole; and who watches it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from faults.stage import Stage
from faults.witness import Witness, witness


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("faults") / "stack") as stage:
        yield stage


@pytest.fixture(scope="module")
async def seen(stage: Stage) -> AsyncIterator[Witness]:
    async with witness(stage.addresses) as seen:
        yield seen
