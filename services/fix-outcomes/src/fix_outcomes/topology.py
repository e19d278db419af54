"""`topology apply`: RabbitMQ's exchanges, queues, users and permissions, made to be as the contracts say."""

import base64
import hashlib
import os
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import SecretStr
from shared.contracts import topology
from shared.contracts.vocabulary import Service

Passwords = Mapping[Service, SecretStr]

AWAY = (httpx.HTTPError,)
"""What asking the management API may raise: it is not there, or says no."""

_TIMEOUT_S = 30.0
_PSA_MAX_LENGTH = 100_000
_PSA_MAX_BYTES = 256 << 20
_PSA_EXPIRES_MS = 7 * 24 * 3600 * 1000


def definitions(
    passwords: Passwords, *, vhost: str = "/", replicate_questions: bool = False
) -> dict[str, Any]:
    """RabbitMQ's own description of all of it, as its management API imports it and as it can boot from it."""
    return {
        "users": [_user(service, passwords[service]) for service in Service],
        "vhosts": [{"name": vhost}],
        "topic_permissions": [_topic_permission(service, vhost) for service in Service],
        "permissions": [_permission(service, vhost) for service in Service],
        "policies": [psa_policy(vhost)],
        "exchanges": [
            {
                "name": name,
                "vhost": vhost,
                "type": kind,
                "durable": True,
                "auto_delete": False,
                "arguments": {},
            }
            for name, kind in topology.EXCHANGES.items()
        ],
        "queues": [
            {
                "name": queue.name,
                "vhost": vhost,
                "durable": True,
                "auto_delete": False,
                "arguments": _arguments(queue, replicate_questions=replicate_questions),
            }
            for queue in topology.queues()
        ],
        "bindings": [
            {
                "source": queue.exchange,
                "vhost": vhost,
                "destination": queue.name,
                "destination_type": "queue",
                "routing_key": queue.routing_key,
                "arguments": {},
            }
            for queue in topology.queues()
        ],
    }


def apply(api_url: SecretStr, made: dict[str, Any]) -> None:
    """Import the definitions. What is there already stays; passwords and permissions are set anew."""
    with management(api_url) as api:
        api.post("/api/definitions", json=made).raise_for_status()


def management(api_url: SecretStr) -> httpx.Client:
    """RabbitMQ's management API as an administrator. Over TLS, SSL_CERT_FILE names a CA of one's own."""
    url = httpx.URL(api_url.get_secret_value())
    login = url.username, url.password
    return httpx.Client(base_url=url.copy_with(userinfo=b""), auth=login, timeout=_TIMEOUT_S)


def _arguments(queue: topology.Queue, *, replicate_questions: bool) -> dict[str, Any]:
    replicated = {"x-queue-type": "quorum"} if replicate_questions else {}
    return {**queue.arguments, **replicated}


def _user(service: Service, password: SecretStr) -> dict[str, Any]:
    return {
        "name": str(service),
        "password_hash": hashed(password.get_secret_value(), salt=os.urandom(4)),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": "",
    }


def hashed(password: str, *, salt: bytes) -> str:
    """RabbitMQ's salted hash: base64(salt + sha256(salt + password)), its documentation's "Passwords"."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _permission(service: Service, vhost: str) -> dict[str, str]:
    allowed = topology.PERMISSIONS[service]
    return {
        "user": str(service),
        "vhost": vhost,
        "configure": allowed.configure,
        "write": allowed.write,
        "read": allowed.read,
    }


def _topic_permission(service: Service, vhost: str) -> dict[str, str]:
    allowed = topology.PERMISSIONS[service]
    return {
        "user": str(service),
        "vhost": vhost,
        "exchange": topology.EVENTS,
        "write": allowed.events_write,
        "read": allowed.events_read,
    }


def psa_policy(vhost: str) -> dict[str, Any]:
    """For the queues of PSA tools: a dead subscriber cannot fill the disk."""
    return {
        "vhost": vhost,
        "name": "psa-limits",
        "pattern": "^psa-",
        "apply-to": "queues",
        "priority": 10,
        "definition": {
            "max-length": _PSA_MAX_LENGTH,
            "max-length-bytes": _PSA_MAX_BYTES,
            "overflow": "drop-head",
            "expires": _PSA_EXPIRES_MS,
        },
    }
