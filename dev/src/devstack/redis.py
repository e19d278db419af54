"""A private Redis that forgets: no data in files, bounded memory, and a password that no process list shows."""

import hashlib
import socket
from pathlib import Path
from urllib.parse import urlsplit

from devstack.binaries import redis_server
from devstack.processes import Program
from devstack.state import State, write_private

CONFIGURATION = """\
bind 127.0.0.1
port {port}
aclfile "{folder}/users.acl"
dir "{folder}"
daemonize no
save ""
appendonly no
maxmemory 256mb
maxmemory-policy allkeys-lru
"""


def url(state: State) -> str:
    """The administrator's URL."""
    return f"redis://:{state.secret('redis')}@127.0.0.1:{state.port('redis')}/0"


def program(state: State) -> Program:
    """The server on its own port."""
    folder = state.folder / "redis"
    configuration = folder / "redis.conf"
    address = url(state)
    return Program(
        name="redis",
        command=(str(redis_server()), str(configuration)),
        environment={},
        ready=lambda: answers(address),
        prepare=lambda: _prepare(configuration, state),
    )


def answers(address: str) -> bool:
    """Whether the server behind this URL accepts our login."""
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname, parts.port or 6379), timeout=1) as connection:
            connection.sendall(f"AUTH {parts.password}\r\nPING\r\n".encode())
            with connection.makefile("rb") as answer:
                return answer.readline() == b"+OK\r\n" and answer.readline() == b"+PONG\r\n"
    except OSError:
        return False


def _prepare(configuration: Path, state: State) -> None:
    folder = configuration.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(configuration, CONFIGURATION.format(port=state.port("redis"), folder=folder))
    users = folder / "users.acl"
    if not users.exists():  # Redis keeps the services' users here
        write_private(users, administrator(state) + "\n")


def administrator(state: State) -> str:
    """The line of an ACL file that lets the administrator in, as Redis' default user."""
    return f"user default on #{hashlib.sha256(state.secret('redis').encode()).hexdigest()} ~* &* +@all"
