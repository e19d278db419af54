"""What `topology apply` tells RabbitMQ: complete, restricted, and with passwords that the broker can check."""

import base64
import hashlib
import re
from typing import Any

import pytest
from fix_outcomes import topology
from pydantic import SecretStr
from shared.contracts import topology as contract
from shared.contracts.vocabulary import Service

PASSWORDS = {service: SecretStr(f"the password of {service} ß") for service in Service}


@pytest.fixture
def definitions() -> dict[str, Any]:
    return topology.definitions(PASSWORDS, vhost="rf")


def test_a_password_is_hashed_as_rabbitmqs_documentation_says() -> None:
    """The documentation's own example: password `test12`, salt 908DC60A."""
    assert (
        topology.hashed("test12", salt=bytes.fromhex("908DC60A"))
        == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
    )


def test_every_user_has_the_hash_of_its_own_password_with_a_salt_of_its_own(
    definitions: dict[str, Any],
) -> None:
    salts = set()
    for user in definitions["users"]:
        hashed = base64.b64decode(user["password_hash"])
        salt, digest = hashed[:4], hashed[4:]
        password = PASSWORDS[Service(user["name"])].get_secret_value()
        assert digest == hashlib.sha256(salt + password.encode()).digest()
        assert user["hashing_algorithm"] == "rabbit_password_hashing_sha256"
        assert user["tags"] == ""
        salts.add(salt)
    assert {user["name"] for user in definitions["users"]} == {"gateway", "fix-outcomes", "note-generator"}
    assert len(salts) == 3


def test_no_password_is_written_in_clear(definitions: dict[str, Any]) -> None:
    assert "the password of" not in str(definitions)


def test_every_exchange_and_queue_of_the_contract_is_durable_and_in_the_virtual_host(
    definitions: dict[str, Any],
) -> None:
    assert {each["name"] for each in definitions["exchanges"]} == set(contract.EXCHANGES)
    assert {each["name"] for each in definitions["queues"]} == {queue.name for queue in contract.queues()}
    for each in (*definitions["exchanges"], *definitions["queues"]):
        assert (each["vhost"], each["durable"], each["auto_delete"]) == ("rf", True, False)


def test_every_queue_is_bound_to_an_exchange_that_exists(definitions: dict[str, Any]) -> None:
    exchanges = {each["name"] for each in definitions["exchanges"]}
    bound = {each["destination"] for each in definitions["bindings"]}
    assert bound == {each["name"] for each in definitions["queues"]}
    assert {each["source"] for each in definitions["bindings"]} <= exchanges


def test_every_dead_letter_has_a_queue_to_go_to(definitions: dict[str, Any]) -> None:
    bindings = {(each["source"], each["routing_key"]) for each in definitions["bindings"]}
    for queue in definitions["queues"]:
        arguments = queue["arguments"]
        if "x-dead-letter-exchange" in arguments:
            target = arguments["x-dead-letter-exchange"], arguments["x-dead-letter-routing-key"]
            assert target in bindings


@pytest.mark.parametrize("queue", contract.queues(), ids=lambda queue: queue.name)
def test_a_queue_that_must_not_lose_anything_is_replicated_bounded_and_parks_what_kills_its_worker(
    queue: contract.Queue,
) -> None:
    if queue.exchange == contract.QUERIES:
        assert queue.arguments["x-queue-type"] == "classic"
        assert queue.arguments["x-message-ttl"]
        assert "x-dead-letter-exchange" not in queue.arguments
        return
    assert queue.arguments["x-queue-type"] == "quorum"
    assert queue.arguments["x-overflow"] == "reject-publish"
    if queue.work:
        assert queue.arguments["x-delivery-limit"] == 20
        assert queue.arguments["x-dead-letter-exchange"] == "rf.dead-letters"


def test_on_a_cluster_questions_outlive_a_node_too_and_nothing_else_is_different(
    definitions: dict[str, Any],
) -> None:
    replicated = topology.definitions(PASSWORDS, vhost="rf", replicate_questions=True)
    for queue, other in zip(replicated["queues"], definitions["queues"], strict=True):
        assert queue == {**other, "arguments": {**other["arguments"], "x-queue-type": "quorum"}}
    assert replicated["bindings"] == definitions["bindings"]


def test_topic_permissions_come_before_permissions(definitions: dict[str, Any]) -> None:
    """A user with permissions and without a topic record may bind anything, if only for a moment."""
    order = list(definitions)
    assert order.index("topic_permissions") < order.index("permissions")
    assert {each["user"] for each in definitions["topic_permissions"]} == {
        str(service) for service in Service
    }
    assert {each["exchange"] for each in definitions["topic_permissions"]} == {"rf.events"}


@pytest.mark.parametrize("service", Service)
def test_no_service_may_touch_the_default_exchange_or_declare_a_shared_queue(
    definitions: dict[str, Any], service: Service
) -> None:
    [mine] = [each for each in definitions["permissions"] if each["user"] == service]
    shared = [*contract.EXCHANGES, *(queue.name for queue in contract.queues())]
    for name in ("amq.default", "amq.topic"):
        assert not any(re.search(mine[right], name) for right in ("configure", "write", "read"))
    assert not any(re.search(mine["configure"], name) for name in shared)


def test_fix_outcomes_alone_reads_commands_and_only_the_gateway_sends_them(
    definitions: dict[str, Any],
) -> None:
    permissions = {each["user"]: each for each in definitions["permissions"]}
    readers = [
        user for user, each in permissions.items() if re.search(each["read"], "fix-outcomes.commands.v1")
    ]
    writers = [user for user, each in permissions.items() if re.search(each["write"], "rf.commands")]
    assert (readers, writers) == (["fix-outcomes"], ["gateway"])


def test_queues_of_psa_tools_are_bounded_in_length_bytes_and_life(definitions: dict[str, Any]) -> None:
    [policy] = definitions["policies"]
    assert (policy["vhost"], policy["apply-to"]) == ("rf", "queues")
    assert re.search(policy["pattern"], "psa-0192f000.events")
    assert not any(re.search(policy["pattern"], queue.name) for queue in contract.queues())
    assert {"max-length", "max-length-bytes", "expires"} <= policy["definition"].keys()
    assert all(policy["definition"].values())
