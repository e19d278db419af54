from pathlib import Path

import pytest
from devstack.servers import describe_servers, elsewhere
from devstack.state import State

GIVEN = {
    "RF_DATABASE_URL": "postgresql://owner:pw@db.example/flow",
    "RF_AMQP_URL": "amqp://root:pw@mq.example/",
    "RF_RABBITMQ_API_URL": "http://root:pw@mq.example:15672",
    "RF_REDIS_URL": "redis://cache.example",
}


def test_servers_that_are_given_are_not_ours(tmp_path: Path) -> None:
    servers = describe_servers(State.load(tmp_path), durable=True, environment=GIVEN)

    assert servers.own == {}
    assert (servers.database_url, servers.amqp_url) == (GIVEN["RF_DATABASE_URL"], GIVEN["RF_AMQP_URL"])
    with pytest.raises(KeyError):
        servers["postgres"]


def test_a_broker_without_its_management_api_is_refused(tmp_path: Path) -> None:
    given = {name: url for name, url in GIVEN.items() if name != "RF_RABBITMQ_API_URL"}

    with pytest.raises(ValueError, match="RF_RABBITMQ_API_URL"):
        describe_servers(State.load(tmp_path), durable=True, environment=given)


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_no_address_is_refused_by_name_and_not_repeated(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be an address") as refused:
        describe_servers(State.load(tmp_path), durable=True, environment={**GIVEN, name: "localhost:pw"})

    assert "pw" not in str(refused.value)


def test_the_urls_of_this_very_stack_are_not_taken_for_somebody_elses(tmp_path: Path) -> None:
    state = State.load(tmp_path)
    sourced = {**GIVEN, "RF_REDIS_URL": f"redis://:{state.secret('redis')}@127.0.0.1:20000/0"}

    assert GIVEN.keys() - elsewhere(state, sourced).keys() == {"RF_REDIS_URL"}


def test_no_password_shows_in_a_test_report(tmp_path: Path) -> None:
    servers = describe_servers(State.load(tmp_path), durable=True, environment=GIVEN)

    assert "pw" not in repr(servers)
