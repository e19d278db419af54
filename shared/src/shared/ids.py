"""Ids of commands, and so of everything that a command creates."""

import hashlib
import os
import time
from uuid import UUID

_VARIANT = 0b10 << 62


def _uuid(version: int, high: int, low: int) -> UUID:
    return UUID(int=(high & ~0xF000 | version << 12) << 64 | low & (1 << 62) - 1 | _VARIANT)


def new_id() -> UUID:
    """A time-ordered id (RFC 9562 UUIDv7), so that new rows land at the end of their index."""
    milliseconds = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10))
    return _uuid(7, milliseconds << 16 | noise >> 64, noise)


def keyed_id(account_id: UUID, key: str) -> UUID:
    """The id that an account's Idempotency-Key stands for: the same each time (RFC 9562 UUIDv8)."""
    digest = hashlib.sha256(account_id.bytes + key.encode()).digest()
    return _uuid(8, int.from_bytes(digest[:8]), int.from_bytes(digest[8:16]))
