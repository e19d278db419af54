"""A courier of its own for each test, and the wire it is on."""

from collections.abc import AsyncIterator

import pytest
from courier_wire import Request, Wire, connected, courier_to, leave
from shared.courier import Courier


@pytest.fixture
async def courier() -> AsyncIterator[Courier[Request]]:
    courier = courier_to()
    yield courier
    await leave(courier)


@pytest.fixture
async def wire(courier: Courier[Request]) -> Wire:
    return await connected(courier)
