"""Where notes are in Redis, and which keys note-generator coordinates itself by. A cache: it may vanish."""

from collections.abc import Mapping
from uuid import UUID

from shared.contracts.vocabulary import NoteKind, Service

VERSION_FIELD = "v"
NOTE_FIELD = "d"
INTEREST_S = 3_600


def note_key(account_id: UUID, session_id: UUID, kind: NoteKind) -> str:
    """A hash: `v` the state_version, `d` the note as JSON (`views.Note`). Only a newer version is written."""
    return f"rf:note:{account_id}:{session_id}:{kind}"


def lock_key(account_id: UUID, session_id: UUID, kind: NoteKind, state_version: int) -> str:
    """Held by the one that writes this note for this version, under its fencing token."""
    return f"rf:lock:{account_id}:{session_id}:{kind}:{state_version}"


def fence_key(account_id: UUID, session_id: UUID, kind: NoteKind) -> str:
    """A counter; the next fencing token."""
    return f"rf:fence:{account_id}:{session_id}:{kind}"


def draft_key(account_id: UUID, session_id: UUID, kind: NoteKind, state_version: int) -> str:
    """What may be shown already of a note that is being written, as JSON (`views.NoteSoFar`)."""
    return f"rf:draft:{account_id}:{session_id}:{kind}:{state_version}"


def text_key(account_id: UUID, session_id: UUID, kind: NoteKind, digest: str) -> str:
    """What the model wrote from exactly this bundle, as JSON: an unchanged bundle costs no second call."""
    return f"rf:text:{account_id}:{session_id}:{kind}:{digest}"


def ledger_key(account_id: UUID, day: str) -> str:
    """A hash: what the model's calls for this account took on this day (UTC), `micro_usd` and tokens."""
    return f"rf:ledger:{account_id}:{day}"


def calls_key(account_id: UUID, day: str) -> str:
    """A list, newest first: each of those calls with its outcome, tokens, cost and latency, as JSON."""
    return f"rf:ledger:{account_id}:{day}:calls"


def interest_key(account_id: UUID, session_id: UUID) -> str:
    """There while somebody watches the session, or previewed it in the last hour: what lazy mode writes ahead for."""
    return f"rf:interest:{account_id}:{session_id}"


_NOTHING = ("resetkeys", "resetchannels", "-@all")
_CONNECTING = ("+hello", "+auth", "+ping", "+select")

RULES: Mapping[Service, tuple[str, ...]] = {
    Service.GATEWAY: (
        *_NOTHING,
        "%R~rf:note:*",
        "%R~rf:draft:*",
        "%W~rf:interest:*",
        *_CONNECTING,
        *("+hget", "+hmget", "+get", "+set"),
    ),
    Service.NOTE_GENERATOR: (
        *_NOTHING,
        "~rf:note:*",
        "~rf:draft:*",
        "~rf:lock:*",
        "~rf:fence:*",
        "~rf:text:*",
        "~rf:ledger:*",
        "~rf:interest:*",
        *_CONNECTING,
        *("+evalsha", "+eval", "+script|load"),
        *("+hget", "+hmget", "+hset", "+hdel", "+exists", "+incr", "+pexpire", "+set", "+get", "+del"),
        *("+hincrby", "+hgetall", "+lpush", "+ltrim", "+lrange"),
    ),
}
"""What the services' Redis users may do, as `ACL SETUSER` of Redis 7 reads it. fix-outcomes has no user."""
