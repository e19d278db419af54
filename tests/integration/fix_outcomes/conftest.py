"""The real record: an account at work on it, and what the owner of the database sees of it."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from fix_outcomes.storage.database import connect
from fix_outcomes_desk import Desk
from fix_outcomes_stores import Look, RealLook, Store, in_memory
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


@pytest.fixture(params=["postgres", "memory"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each store in turn: what holds for the real one holds for the simulation's."""
    if request.param == "memory":
        return in_memory()
    return Store(request.getfixturevalue("engine"), RealLook(request.getfixturevalue("owner")))


@pytest.fixture
def look(store: Store) -> Look:
    return store.look


@pytest.fixture
def either_desk(store: Store) -> Desk:
    """An account at work on either store."""
    return Desk(store.engine, new_id())


@pytest.fixture
def other_either_desk(store: Store) -> Desk:
    return Desk(store.engine, new_id())
