"""The stack that is broken: one for all of these tests, each of which leaves it whole."""

from collections.abc import Iterator

import pytest

from faults.stage import Stage


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("faults") / "stack") as stage:
        yield stage
