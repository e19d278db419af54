"""What Redis itself refuses: each service's user at the limits of its rights, and whoever has no password."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from devstack.servers import Servers
from devstack.services import with_login
from note_generator import users
from pydantic import SecretStr
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from shared.contracts.cache import draft_key, fence_key, lock_key, note_key, text_key
from shared.contracts.vocabulary import NoteKind, Service

PASSWORDS = {
    service: SecretStr(secrets.token_hex(16)) for service in (Service.GATEWAY, Service.NOTE_GENERATOR)
}
ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000a")
SESSION = UUID("0192f000-0000-7000-8000-00000000000b")
KIND = NoteKind.RESOLUTION_NOTE
NOTE = note_key(ACCOUNT, SESSION, KIND)
DRAFT = draft_key(ACCOUNT, SESSION, KIND, 7)

BY_BOTH = pytest.mark.parametrize("service", PASSWORDS)
DANGEROUS = pytest.mark.parametrize(
    "command",
    [
        "FLUSHALL",
        "FLUSHDB",
        "KEYS *",
        "SCAN 0",
        "CONFIG GET *",
        "ACL LIST",
        "SHUTDOWN",
        "MONITOR",
        "CLIENT LIST",
        "INFO",
        "SAVE",
        "SUBSCRIBE news",
        "SCRIPT FLUSH",
        "REPLICAOF no one",
    ],
)


def connect(servers: Servers, service: Service) -> Redis:
    password = PASSWORDS[service].get_secret_value()
    return Redis.from_url(with_login(servers.redis_url, str(service), password), decode_responses=True)


def execute(redis: Redis, *words: str) -> Any:
    return redis.execute_command(*words)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def administrator(servers: Servers) -> Iterator[Redis]:
    kept = users.apply(SecretStr(servers.redis_url), PASSWORDS)
    assert kept
    with Redis.from_url(servers.redis_url, decode_responses=True) as redis:
        redis.hset(NOTE, mapping={"v": "7", "d": "a note"})
        redis.set(DRAFT, "a note so far")
        yield redis
        redis.delete(NOTE, DRAFT)


@pytest.fixture
def gateway(servers: Servers, administrator: Redis) -> Iterator[Redis]:
    with connect(servers, Service.GATEWAY) as redis:
        yield redis


@pytest.fixture
def note_generator(servers: Servers, administrator: Redis) -> Iterator[Redis]:
    with connect(servers, Service.NOTE_GENERATOR) as redis:
        yield redis


def test_the_gateway_reads_notes(gateway: Redis) -> None:
    assert gateway.hmget(NOTE, ["v", "d"]) == ["7", "a note"]
    assert gateway.get(DRAFT) == "a note so far"


@pytest.mark.parametrize(
    "command",
    [
        *(f"HSET {NOTE} v 8", f"DEL {NOTE}", f"SET {NOTE} x", f"PEXPIRE {NOTE} 1", f"GETDEL {NOTE}"),
        f"SET {DRAFT} x",
    ],
)
def test_the_gateway_writes_none(gateway: Redis, command: str) -> None:
    with pytest.raises(NoPermissionError):
        execute(gateway, *command.split())


@pytest.mark.parametrize(
    "key",
    [
        *(lock_key(ACCOUNT, SESSION, KIND, 7), fence_key(ACCOUNT, SESSION, KIND)),
        *(text_key(ACCOUNT, SESSION, KIND, "0"), "rf:else", "else"),
    ],
)
def test_the_gateway_reads_nothing_else(gateway: Redis, key: str) -> None:
    with pytest.raises(NoPermissionError):
        gateway.hget(key, "v")
    with pytest.raises(NoPermissionError):
        gateway.get(key)


def test_the_gateway_runs_no_script(gateway: Redis) -> None:
    with pytest.raises(NoPermissionError):
        gateway.eval("return redis.call('HSET', KEYS[1], 'v', '9')", 1, NOTE)


def test_note_generator_writes_notes_locks_and_fences(note_generator: Redis) -> None:
    for key in (NOTE, lock_key(ACCOUNT, SESSION, KIND, 7), fence_key(ACCOUNT, SESSION, KIND)):
        assert note_generator.eval("return redis.call('EXISTS', KEYS[1])", 1, key) in {0, 1}


@pytest.mark.parametrize("key", ["rf:else", "else", "note", f"other:{NOTE}"])
def test_note_generator_touches_no_other_key(note_generator: Redis, key: str) -> None:
    with pytest.raises(NoPermissionError):
        note_generator.set(key, "x")
    with pytest.raises(RedisError, match=r"(?i)permission"):
        note_generator.eval("return redis.call('SET', KEYS[1], 'x')", 1, key)


@BY_BOTH
@DANGEROUS
def test_no_service_commands_the_server(
    servers: Servers, administrator: Redis, service: Service, command: str
) -> None:
    with connect(servers, service) as redis, pytest.raises(NoPermissionError):
        execute(redis, *command.split())


@pytest.mark.parametrize("user", ["default", "gateway", "note-generator", "fix-outcomes", "admin"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_enters_without_a_password_of_ours(
    servers: Servers, administrator: Redis, user: str, password: str
) -> None:
    with (
        Redis.from_url(with_login(servers.redis_url, user, password)) as redis,
        pytest.raises((AuthenticationError, RedisError)),
    ):
        redis.ping()


def test_a_new_password_replaces_the_old(servers: Servers, administrator: Redis) -> None:
    before = connect(servers, Service.GATEWAY)
    changed = {**PASSWORDS, Service.GATEWAY: SecretStr(secrets.token_hex(16))}
    users.apply(SecretStr(servers.redis_url), changed)
    try:
        with before, pytest.raises(AuthenticationError):
            before.ping()
    finally:
        users.apply(SecretStr(servers.redis_url), PASSWORDS)


def test_the_file_that_a_redis_starts_with_says_the_same(administrator: Redis, tmp_path: Path) -> None:
    lines = users.acl_file(PASSWORDS, administrator=SecretStr("root")).splitlines()
    assert lines[0] == "user default off"
    wanted = {line.split()[1]: set(line.split()[2:]) for line in lines}
    for service in PASSWORDS:
        made = execute(administrator, "ACL", "GETUSER", str(service))
        made = made if isinstance(made, dict) else dict(zip(made[::2], made[1::2], strict=True))
        assert {f"#{each}" for each in made["passwords"]} <= wanted[str(service)]
        assert set(made["commands"].split()) - {"-@all"} == {
            rule for rule in wanted[str(service)] if rule.startswith("+")
        }
        assert set(str(made["keys"]).split()) == {rule for rule in wanted[str(service)] if "~" in rule}
    assert not any("root" in line for line in lines)
