"""`/docs` works where there is no internet."""

import re

from unit.gateway.gateway_doubles import Bench


async def test_the_documentation_loads_nothing_from_elsewhere(bench: Bench) -> None:
    shown = (await bench.send("GET", "/docs", token="")).text
    loaded = re.findall(r'(?:src|href)="([^"]*)"', shown)
    assert len(loaded) == 3
    for address in loaded:
        assert address.startswith("/docs/")
        assert (await bench.send("GET", address, token="")).status_code == 200


async def test_a_file_that_is_not_there_is_a_problem(bench: Bench) -> None:
    refused = await bench.send("GET", "/docs/files/nothing", token="")
    assert (refused.status_code, refused.headers["Content-Type"]) == (404, "application/problem+json")
