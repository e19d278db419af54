"""Who has no business in Postgres does not get in: the other services, and whoever knows no password."""

import asyncpg
import pytest
from devstack.services import with_login
from places import PASSWORDS, Database
from shared.contracts.vocabulary import Service


@pytest.mark.parametrize("service", Service)
async def test_a_services_broker_login_is_none_here(database: Database, service: Service) -> None:
    url = with_login(database.admin_url, str(service), PASSWORDS[service].get_secret_value())
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(url)


@pytest.mark.parametrize("role", ["fix_outcomes", "fix_outcomes_relay", "gateway", "note_generator"])
@pytest.mark.parametrize("password", ["wrong", "fix_outcomes"])
async def test_nobody_enters_without_a_password_of_ours(database: Database, role: str, password: str) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(with_login(database.admin_url, role, password))
