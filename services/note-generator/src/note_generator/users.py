"""Redis' users, made to be as the contracts say: in a Redis that runs, or in the file that one starts with."""

import hashlib
from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr
from redis import Redis
from redis.exceptions import RedisError, ResponseError
from shared.contracts.cache import RULES
from shared.contracts.vocabulary import Service

Passwords = Mapping[Service, SecretStr]

AWAY: Final = (RedisError,)
"""What asking a Redis may raise: it is not there, or lets us not in."""

ADMINISTRATOR: Final = "admin"
_TIMEOUT_S: Final = 10.0


def acl_file(passwords: Passwords, *, administrator: SecretStr) -> str:
    """The ACL file of a Redis that lets nobody in but an administrator and the services, each with its rights."""
    users = [f"user {ADMINISTRATOR} on {_hashed(administrator)} ~* &* +@all"]
    users += [
        f"user {service} on {_hashed(passwords[service])} {' '.join(rules)}"
        for service, rules in RULES.items()
    ]
    return "\n".join(["user default off", *users, ""])


def apply(url: SecretStr, passwords: Passwords) -> bool:
    """Give the services' users these passwords and their rights; whether Redis keeps them when it starts again."""
    with Redis.from_url(url.get_secret_value(), socket_timeout=_TIMEOUT_S) as redis:
        for service, rules in RULES.items():
            redis.execute_command(
                "ACL", "SETUSER", str(service), "on", "resetpass", _hashed(passwords[service]), *rules
            )
        try:
            redis.execute_command("ACL", "SAVE")
        except ResponseError:  # a Redis without an ACL file
            return False
    return True


def _hashed(password: SecretStr) -> str:
    return f"#{hashlib.sha256(password.get_secret_value().encode()).hexdigest()}"
