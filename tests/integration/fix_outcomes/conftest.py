"""The real record: an account at work on it, and what the owner of the database sees of it."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from fix_outcomes.storage.database import connect
from fix_outcomes_desk import Desk
from places import Database
from shared.ids import new_id
from sqlalchemy.ext.asyncio import AsyncEngine


@pytest.fixture(scope="module")
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = connect(database.runtime_url, name="tests", connections=8)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
async def owner(database: Database) -> AsyncIterator[Any]:
    """The owner's connections, which see everything."""
    async with asyncpg.create_pool(database.admin_url, min_size=1, max_size=3) as pool:
        yield pool


@pytest.fixture
def desk(engine: AsyncEngine) -> Desk:
    return Desk(engine, new_id())


@pytest.fixture
def other_desk(engine: AsyncEngine) -> Desk:
    return Desk(engine, new_id())
