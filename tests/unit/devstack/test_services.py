from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from devstack.servers import Addresses
from devstack.services import Choices, programs, service_of, steps, with_login
from devstack.state import State

AT = Addresses(
    database_url="postgresql://owner:pw@db.example:5433/flow?sslmode=require",
    amqp_url="amqps://root:pw@mq.example/team",
    rabbitmq_api_url="http://root:pw@mq.example:15672",
    redis_url="redis://:pw@cache.example:6379/3",
)
ORDINARY = Choices()


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.load(tmp_path)


def environment(state: State, name: str, choices: Choices = ORDINARY) -> dict[str, str]:
    return dict(programs(state, AT, choices, {})[name].environment)


def test_each_service_logs_in_as_itself(state: State) -> None:
    users = {
        urlsplit(environment(state, name)[f"{name.upper().replace('-', '_')}_AMQP_URL"]).username
        for name in ("gateway", "fix-outcomes", "note-generator")
    }

    assert users == {"gateway", "fix-outcomes", "note-generator"}


def test_the_database_roles_get_the_passwords_that_the_database_step_sets(state: State) -> None:
    step = steps(state, AT, Choices())["database-apply"][1]
    service = environment(state, "fix-outcomes")

    runtime = urlsplit(service["FIX_OUTCOMES_DATABASE_URL"])
    relay = urlsplit(service["FIX_OUTCOMES_RELAY_DATABASE_URL"])

    assert (runtime.username, runtime.password) == ("fix_outcomes", step["DATABASE_RUNTIME_PASSWORD"])
    assert (relay.username, relay.password) == ("fix_outcomes_relay", step["DATABASE_RELAY_PASSWORD"])
    assert runtime.path == relay.path == "/flow"
    assert step["DATABASE_ADMIN_URL"] == AT.database_url


def test_the_broker_users_get_the_passwords_that_the_topology_step_sets(state: State) -> None:
    step = steps(state, AT, Choices())["topology-apply"][1]

    url = urlsplit(environment(state, "gateway")["GATEWAY_AMQP_URL"])

    assert url.password == step["TOPOLOGY_GATEWAY_PASSWORD"]
    assert url.path == "/team"


def test_replicas_share_secrets_but_no_port_and_no_name(state: State) -> None:
    choices = Choices(replicas={"gateway": 2})
    first, second = environment(state, "gateway", choices), environment(state, "gateway-2", choices)

    different = {name for name in first if first[name] != second[name]}

    assert different == {"GATEWAY_PORT", "GATEWAY_REPLICA"}
    assert second["GATEWAY_REPLICA"] == "gateway-2"


def test_settings_for_a_service_reach_every_replica_and_those_for_a_replica_win(state: State) -> None:
    choices = Choices(
        replicas={"gateway": 2},
        settings={"gateway": {"GATEWAY_TIMEOUT": "1"}, "gateway-2": {"GATEWAY_TIMEOUT": "2"}},
    )

    assert environment(state, "gateway", choices)["GATEWAY_TIMEOUT"] == "1"
    assert environment(state, "gateway-2", choices)["GATEWAY_TIMEOUT"] == "2"


def test_the_note_generator_gets_its_own_variables_of_the_caller_and_no_other(state: State) -> None:
    ours = {"NOTE_GENERATOR_ANTHROPIC_API_KEY": "k", "GATEWAY_BODY_LIMIT": "1", "NOTE_GENERATOR_PORT": "1"}

    result = programs(state, AT, ORDINARY, ours)["note-generator"].environment

    assert result["NOTE_GENERATOR_ANTHROPIC_API_KEY"] == "k"
    assert "GATEWAY_BODY_LIMIT" not in result
    assert result["NOTE_GENERATOR_PORT"] == str(state.port("note-generator"))


def test_another_command_may_stand_in_for_a_service_or_for_one_replica(state: State) -> None:
    choices = Choices(
        replicas={"fix-outcomes": 2}, commands={"fix-outcomes": ["a"], "fix-outcomes-2": ["b", "c"]}
    )

    result = programs(state, AT, choices, {})

    assert result["fix-outcomes"].command == ("a",)
    assert result["fix-outcomes-2"].command == ("b", "c")


def test_a_choice_can_be_changed_and_taken_back(state: State) -> None:
    crashing = ORDINARY.changed("fix-outcomes", {"FIX_OUTCOMES_BATCH": "1"}, ["crash"])
    mended = crashing.changed("fix-outcomes", None, None)

    assert programs(state, AT, crashing, {})["fix-outcomes"].command == ("crash",)
    assert environment(state, "fix-outcomes", crashing)["FIX_OUTCOMES_BATCH"] == "1"
    assert mended == ORDINARY


@pytest.mark.parametrize(
    "choices",
    [{"replicas": {"postgres": 2}}, {"settings": {"gatway": {}}}, {"commands": {"gateway-x": ["a"]}}],
)
def test_a_name_that_is_no_service_is_refused(choices: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="gateway"):
        Choices(**choices)


def test_the_service_of_a_replica_is_what_precedes_its_number() -> None:
    names = ["gateway", "gateway-2", "fix-outcomes", "fix-outcomes-12"]

    assert [service_of(name) for name in names] == ["gateway", "gateway", "fix-outcomes", "fix-outcomes"]


def test_another_login_keeps_the_rest_of_the_address() -> None:
    assert with_login(AT.database_url, "a b", "c/d") == (
        "postgresql://a%20b:c%2Fd@db.example:5433/flow?sslmode=require"
    )
