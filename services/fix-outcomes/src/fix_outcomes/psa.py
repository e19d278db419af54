"""`topology psa …`: the broker users of PSA tools, which may read their own account's events and nothing else."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import httpx
from pydantic import SecretStr
from shared.contracts import topology

from fix_outcomes.topology import management, psa_policy

LIMITS: Final = {"max-connections": 10, "max-channels": 50}
"""Of one user: a tool that opens connections in a loop does not take the broker's."""

_PREFIX: Final = topology.psa_user("")


class PsaError(Exception):
    """What was asked for does not fit what is there."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An account's user, its queues and what waits in them."""

    account_id: str
    queues: int
    messages: int


class PsaUsers:
    """The users of PSA tools on one virtual host, through RabbitMQ's management API as an administrator."""

    def __init__(self, api_url: SecretStr, *, vhost: str = "/") -> None:
        self._api_url, self._vhost = api_url, vhost

    def add(self, account_id: UUID) -> str:
        """Make the account's user; its password, which is known to nobody else. Raises `PsaError` if it is there."""
        with management(self._api_url) as api:
            if self._exists(api, account_id):
                raise PsaError(
                    f"{topology.psa_user(account_id)} is there already; rotate gives it a password"
                )
            return self._put(api, account_id)

    def rotate(self, account_id: UUID) -> str:
        """Give it a new password, and its rights anew. Connections that are open stay open."""
        with management(self._api_url) as api:
            self._expect(api, account_id)
            return self._put(api, account_id)

    def remove(self, account_id: UUID) -> int:
        """Delete the user, which ends its connections, and its queues; how many those were."""
        with management(self._api_url) as api:
            self._expect(api, account_id)
            api.delete(f"/api/users/{topology.psa_user(account_id)}").raise_for_status()
            names = [queue["name"] for queue in self._queues(api, account_id)]
            for name in names:
                api.delete(f"/api/queues/{self._place}/{quote(name, safe='')}").raise_for_status()
        return len(names)

    def everyone(self) -> Iterator[Subscriber]:
        """Every account that has a user."""
        with management(self._api_url) as api:
            users = api.get("/api/users").raise_for_status().json()
            for name in sorted(user["name"] for user in users if user["name"].startswith(_PREFIX)):
                account = name.removeprefix(_PREFIX)
                queues = self._queues(api, account)
                yield Subscriber(account, len(queues), sum(queue.get("messages", 0) for queue in queues))

    def _put(self, api: httpx.Client, account_id: UUID) -> str:
        """The order matters: without a topic permission a user who may read `rf.events` reads all of it."""
        user, password = topology.psa_user(account_id), secrets.token_urlsafe(32)
        allowed = topology.psa_permissions(account_id)
        topics = {"exchange": topology.EVENTS, "write": allowed.events_write, "read": allowed.events_read}
        rights = {"configure": allowed.configure, "write": allowed.write, "read": allowed.read}
        policy = psa_policy(self._vhost)
        steps: list[tuple[str, dict[str, Any]]] = [
            (f"policies/{self._place}/{policy['name']}", policy),
            (f"users/{user}", {"password": password, "tags": ""}),
            (f"topic-permissions/{self._place}/{user}", topics),
            *((f"user-limits/{user}/{name}", {"value": value}) for name, value in LIMITS.items()),
            (f"permissions/{self._place}/{user}", rights),
        ]
        for path, body in steps:
            api.put(f"/api/{path}", json=body).raise_for_status()
        return password

    def _queues(self, api: httpx.Client, account_id: UUID | str) -> list[dict[str, Any]]:
        prefix = f"{topology.psa_user(account_id)}."
        found = api.get(f"/api/queues/{self._place}").raise_for_status().json()
        return [queue for queue in found if queue["name"].startswith(prefix)]

    def _exists(self, api: httpx.Client, account_id: UUID) -> bool:
        answer = api.get(f"/api/users/{topology.psa_user(account_id)}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        answer.raise_for_status()
        return True

    def _expect(self, api: httpx.Client, account_id: UUID) -> None:
        if not self._exists(api, account_id):
            raise PsaError(f"there is no user {topology.psa_user(account_id)}")

    @property
    def _place(self) -> str:
        return quote(self._vhost, safe="")


def connection_string(amqp_url: str, account_id: UUID, password: str) -> str:
    """Where the tool connects, as the account's user."""
    scheme, _, place = amqp_url.partition("://")
    host = place.rpartition("@")[2]
    return f"{scheme}://{topology.psa_user(account_id)}:{quote(password, safe='')}@{host}"


EXAMPLE: Final = """\
# pip install aio-pika; the connection string is in the environment variable AMQP_URL
import asyncio, json, os
import aio_pika

ACCOUNT = "{account}"

async def main() -> None:
    connection = await aio_pika.connect_robust(os.environ["AMQP_URL"])
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=20)
        queue = await channel.declare_queue(
            "{user}.outcomes", durable=True, arguments={{"x-queue-type": "quorum"}}
        )
        await queue.bind("{events}", routing_key=f"{{ACCOUNT}}.*.fix.outcome_recorded")
        async with queue.iterator() as messages:
            async for message in messages:
                async with message.process(requeue=True):  # acknowledged when your work is done
                    event = json.loads(message.body)
                    # The same event may come again: remember event["id"] with what you did.
                    print(event["id"], event["data"]["from"], "->", event["data"]["to"])

asyncio.run(main())
"""


def example(account_id: UUID) -> str:
    """A subscriber to begin with."""
    return EXAMPLE.format(account=account_id, user=topology.psa_user(account_id), events=topology.EVENTS)
