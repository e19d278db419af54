"""A record of its own for every test."""

import pytest
from fix_outcomes_doubles import Record


@pytest.fixture
def record() -> Record:
    return Record()
