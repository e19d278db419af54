"""note-generator on a real broker and a real cache, with fix-outcomes and the gateway played."""

from collections.abc import AsyncIterator

import pytest
from devstack.servers import Servers
from note_generator_doubles import Surroundings
from places import Broker


@pytest.fixture
async def around(broker: Broker, servers: Servers) -> AsyncIterator[Surroundings]:
    async with Surroundings(broker, servers.redis_url) as surroundings:
        yield surroundings
