"""The keys that tokens are signed with. Which algorithms a key may verify follows from its kind, not the token."""

import asyncio
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import jwt
import orjson
from jwt.exceptions import PyJWKError
from shared.logs import logger

log = logger(__name__)

_FETCH_TIMEOUT_S: Final = 3.0
_LONGEST_JWKS: Final = 1 << 20
_SHORTEST_REST_S: Final = 5.0
_ASYMMETRIC: Mapping[str, str] = {"RSA": "RS256", "EC": "ES256"}

VerifyingKey = tuple[Any, str]
"""The key, and the one algorithm it verifies."""


class Keys(Protocol):
    """Finds the key of a token by the token's `kid`."""

    async def find(self, kid: str | None) -> VerifyingKey | None:
        """The key, or None where there is none."""
        ...


class SharedSecret:
    """One HS256 secret, for one machine."""

    def __init__(self, secret: str) -> None:
        self._key: VerifyingKey = secret.encode(), "HS256"

    async def find(self, kid: str | None) -> VerifyingKey | None:
        """The secret, whatever the token says."""
        del kid
        return self._key


class Jwks:
    """A published key set: read at first use, again when old, and when a token names a key not in it.

    It is read at most every few seconds, whatever tokens arrive; while it cannot be read, the last one serves.
    """

    def __init__(self, read: Callable[[], bytes], *, refresh_s: float) -> None:
        self._read, self._refresh_s = read, refresh_s
        self._keys: Mapping[str, VerifyingKey] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def find(self, kid: str | None) -> VerifyingKey | None:
        """The key of this id. A token without one is given none: it could be meant for any."""
        if kid is None:
            return None
        rest_s = self._refresh_s if kid in self._keys else min(_SHORTEST_REST_S, self._refresh_s)
        async with self._reading:
            if time.monotonic() - self._read_at > rest_s:
                await self._refresh()
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        self._read_at = time.monotonic()
        try:
            self._keys = parse(await asyncio.to_thread(self._read))
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("key set cannot be read", reason=type(error).__name__)


def parse(document: bytes) -> Mapping[str, VerifyingKey]:
    """The keys of a JWKS that verify tokens: RSA and P-256 alone. A symmetric key has no place in a public set."""
    found: dict[str, VerifyingKey] = {}
    for entry in orjson.loads(document)["keys"]:
        algorithm = _ASYMMETRIC.get(entry.get("kty", ""))
        if algorithm is None or "kid" not in entry or entry.get("use", "sig") != "sig":
            continue
        try:
            found[entry["kid"]] = jwt.PyJWK(entry, algorithm).key, algorithm
        except (PyJWKError, jwt.InvalidKeyError):
            log.warning("key of the key set is not usable")
    return found


def from_file(path: Path) -> Callable[[], bytes]:
    """Reads the JWKS from a file."""
    return path.read_bytes


def from_url(url: str) -> Callable[[], bytes]:
    """Reads the JWKS from an http(s) address; the settings allow no other kind."""

    def read() -> bytes:
        with urllib.request.urlopen(url, timeout=_FETCH_TIMEOUT_S) as reply:  # noqa: S310 - see above
            document: bytes = reply.read(_LONGEST_JWKS + 1)
        if len(document) > _LONGEST_JWKS:
            raise ValueError("the key set is too long")
        return document

    return read
