"""What every test may ask for: real servers, and a place of its own on them."""

import gc
import os
import warnings
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import pytest
from devstack.containers import are_given, start_test_servers
from devstack.servers import Servers
from hypothesis import HealthCheck
from places import Broker, Database, own_broker, own_database
from xdist.scheduler import LoadFileScheduling


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run the tests that are marked `full`: slow")
    parser.addoption("--screenshots", help="folder for pictures of the page")


def pytest_configure(config: pytest.Config) -> None:
    """A machine that is busy with other things has broken no property."""
    hypothesis.settings.register_profile(
        "house",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        max_examples=200 if config.getoption("full") else 100,
    )
    hypothesis.settings.load_profile("house")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="slow; runs with --full"))


ONE_STACK = ("tests/e2e", "tests/faults")
"""The tests of such a folder share stacks: one worker runs them all."""


class Sharing(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Hands workers whole files, and whole folders where stacks are shared."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return next((folder for folder in ONE_STACK if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """In the order in which they are found: the folders that take longest are among the first."""
    config.option.loadscopereorder = False
    return Sharing(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """Two, each with servers of its own. Servers that are given by URL have one set of users: one at a time."""
    return 1 if are_given(os.environ) else 2


PARTS = (
    ("page", ("tests/e2e/page",)),
    ("faults", ("tests/faults",)),
    ("notes", ("tests/unit/note_generator", "tests/integration/note_generator", "tests/e2e/test_notes")),
    ("deploy", ("tests/unit/deploy", "tests/integration/test_sight")),
    ("core", ("",)),
)
"""Each has a time budget of its own; a test belongs to the first whose paths it begins with."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much of the time each part took: of workers that run at once, each has its share of it."""
    took: defaultdict[str, float] = defaultdict(float)
    workers = terminalreporter.config.getoption("numprocesses") or 1
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                took[next(part for part, paths in PARTS if report.nodeid.startswith(paths))] += (
                    report.duration / workers
                )
    longest_first = sorted(took.items(), key=lambda each: each[1], reverse=True)
    terminalreporter.write_line("; ".join(f"{part} {seconds:.0f} s" for part, seconds in longest_first))


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Postgres, RabbitMQ and Redis for the whole session; RF_TEST_SERVERS and RF_…_URL choose which.

    Nobody may kill, pause or block these: take servers of your own for that (`start_test_servers`).
    A whole stack needs its own too, since it gives the users of the broker passwords of its own.
    """
    with _no_complaint_of_docker():
        servers = start_test_servers(tmp_path_factory.mktemp("servers"))
    with servers:
        yield servers


@contextmanager
def _no_complaint_of_docker() -> Iterator[None]:
    """Docker's client leaves a socket open where no engine listens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@pytest.fixture(scope="module")
def broker(servers: Servers) -> Iterator[Broker]:
    """This module's own virtual host, with the whole topology; `broker.url(service)` is restricted."""
    with own_broker(servers) as broker:
        yield broker


@pytest.fixture(scope="module")
async def database(servers: Servers) -> AsyncIterator[Database]:
    """This module's own database, freshly migrated."""
    async with own_database(servers) as database:
        yield database
