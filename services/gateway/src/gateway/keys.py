"""The keys that tokens are signed with. Which algorithms a key may verify follows from its kind, not the token."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import Any, Final, Protocol, TypeVar

import jwt
import orjson
from jwt.exceptions import PyJWKError
from shared.logs import logger

from gateway.download import download

log = logger(__name__)

_READ_WITHIN_S: Final = 3.0
"""Shorter than the time that a request has."""
_LONGEST_JWKS: Final = 1 << 20
_SHORTEST_REST_S: Final = 5.0
_ASYMMETRIC: Mapping[str, str] = {"RSA": "RS256", "EC": "ES256"}

Result = TypeVar("Result")

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

    It is read in the background, once at a time and at most every few seconds, whatever tokens arrive. Meanwhile, and
    while it cannot be read, the last one serves; only a token whose key is not in it waits, for some seconds at most.
    """

    def __init__(self, read: Callable[[], bytes], *, refresh_s: float) -> None:
        self._read, self._refresh_s = read, refresh_s
        self._keys: Mapping[str, VerifyingKey] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> VerifyingKey | None:
        """The key of this id. A token without one is given none: it could be meant for any."""
        if kid is None:
            return None
        reading = self._refreshed(self._refresh_s if kid in self._keys else _SHORTEST_REST_S)
        if reading is not None and kid not in self._keys:
            rest_s = self._read_at + _READ_WITHIN_S - time.monotonic()
            await asyncio.wait((reading,), timeout=max(rest_s, 0))
        return self._keys.get(kid)

    def _refreshed(self, rest_s: float) -> asyncio.Task[None] | None:
        """The reading that goes on, if one does; it begins where the last one is longer ago than this."""
        if self._reading is None and time.monotonic() - self._read_at > min(rest_s, self._refresh_s):
            self._read_at = time.monotonic()
            self._reading = asyncio.create_task(self._refresh(), name="key set")
        return self._reading

    async def _refresh(self) -> None:
        try:
            self._keys = await _in_a_thread(lambda: parse(self._read()))
        except (OSError, HTTPException, ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("key set cannot be read", reason=type(error).__name__)
        finally:
            self._reading = None


def _in_a_thread(work: Callable[[], Result]) -> asyncio.Future[Result]:
    """What this returns or raises. The event loop's own threads would be waited for at the end of the process."""
    done: Future[Result] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    Thread(target=run, name="key set", daemon=True).start()
    return asyncio.wrap_future(done)


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
    return partial(download, url, within_s=_READ_WITHIN_S, longest=_LONGEST_JWKS)
