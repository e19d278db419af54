"""Verified tokens are remembered, key sets are read seldom, and neither for ever."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from gateway.auth import Verifier
from gateway.keys import Jwks, Keys, SharedSecret, from_file, parse
from gateway.problems import Problem
from unit.gateway.gateway_doubles import SECRET, KeyPair, signed


def verifier(keys: Keys, *, now: Callable[[], float] = time.time, remembered: int = 10) -> Verifier:
    return Verifier(
        keys=keys,
        algorithms=("HS256", "RS256"),
        issuer="resolutionflow",
        audience="resolutionflow",
        remembered=remembered,
        now=now,
    )


class Counted(SharedSecret):
    """Counts how often a key was needed."""

    found = 0

    async def find(self, kid: str | None) -> tuple[object, str] | None:
        self.found += 1
        return await super().find(kid)


async def test_a_token_is_verified_once() -> None:
    keys = Counted(SECRET)
    check, header = verifier(keys), f"Bearer {signed()}".encode()
    assert await check.caller(header) is await check.caller(header)
    assert keys.found == 1


async def test_a_remembered_token_still_expires() -> None:
    now = time.time()
    moments = iter([now, now + 601])
    check = verifier(SharedSecret(SECRET), now=lambda: next(moments))
    header = f"Bearer {signed()}".encode()
    await check.caller(header)
    with pytest.raises(Problem, match="expired"):
        await check.caller(header)


async def test_it_remembers_a_bounded_number_of_tokens() -> None:
    check = verifier(SharedSecret(SECRET), remembered=2)
    for name in ("a", "b", "c"):
        await check.caller(f"Bearer {signed(name=name)}".encode())
    assert len(check._callers) == 2


@pytest.mark.parametrize(
    "header", [None, b"", b"Bearer", b"Bearer ", b"Basic abc", b"Bearer " + b"x" * 9_000]
)
async def test_a_header_without_a_token_proves_nobody(header: bytes | None) -> None:
    with pytest.raises(Problem):
        await verifier(SharedSecret(SECRET)).caller(header)


async def test_an_algorithm_that_is_not_allowed_is_refused_whatever_the_key() -> None:
    check = Verifier(
        keys=SharedSecret(SECRET),
        algorithms=("RS256",),
        issuer="resolutionflow",
        audience="resolutionflow",
        remembered=10,
        now=time.time,
    )
    with pytest.raises(Problem):
        await check.caller(f"Bearer {signed()}".encode())


async def test_tokens_with_invented_kids_do_not_make_it_read_the_key_set_each_time(
    key_pair: KeyPair, tmp_path: Path
) -> None:
    document, reads = key_pair.jwks(tmp_path).read_bytes(), []

    def read() -> bytes:
        reads.append(1)
        return document

    keys = Jwks(read, refresh_s=300)
    for number in range(5):
        assert await keys.find(f"invented {number}") is None
    assert await keys.find("first") is not None
    assert len(reads) == 1


async def test_a_key_set_that_cannot_be_read_any_more_goes_on_serving(
    key_pair: KeyPair, tmp_path: Path
) -> None:
    path = key_pair.jwks(tmp_path)
    keys = Jwks(from_file(path), refresh_s=1e-9)
    assert await keys.find("first") is not None
    path.unlink()
    assert await keys.find("first") is not None


async def test_a_new_key_set_replaces_the_old_one(key_pair: KeyPair, tmp_path: Path) -> None:
    keys = Jwks(from_file(key_pair.jwks(tmp_path)), refresh_s=1e-9)
    assert await keys.find("first") is not None
    key_pair.jwks(tmp_path, kid="second")
    assert await keys.find("second") is not None
    assert await keys.find("first") is None


def test_a_symmetric_key_in_a_public_key_set_is_passed_over() -> None:
    entry = {"kty": "oct", "kid": "first", "k": "c2VjcmV0", "alg": "HS256"}
    assert parse(json.dumps({"keys": [entry]}).encode()) == {}
