"""Where notes are in Redis, and which keys note-generator coordinates itself by. A cache: it may vanish."""

from collections.abc import Mapping
from uuid import UUID

from shared.contracts.vocabulary import NoteKind, Service

VERSION_FIELD = "v"
NOTE_FIELD = "d"


def note_key(account_id: UUID, session_id: UUID, kind: NoteKind) -> str:
    """A hash: `v` the state_version, `d` the note as JSON (`views.Note`). Only a newer version is written."""
    return f"rf:note:{account_id}:{session_id}:{kind}"


def lock_key(account_id: UUID, session_id: UUID, kind: NoteKind, state_version: int) -> str:
    """Held by the one that writes this note for this version, under its fencing token."""
    return f"rf:lock:{account_id}:{session_id}:{kind}:{state_version}"


def fence_key(account_id: UUID, session_id: UUID, kind: NoteKind) -> str:
    """A counter; the next fencing token."""
    return f"rf:fence:{account_id}:{session_id}:{kind}"


_NOTHING = ("resetkeys", "resetchannels", "-@all")
_CONNECTING = ("+hello", "+auth", "+ping", "+select")

RULES: Mapping[Service, tuple[str, ...]] = {
    Service.GATEWAY: (*_NOTHING, "%R~rf:note:*", *_CONNECTING, "+hget", "+hmget"),
    Service.NOTE_GENERATOR: (
        *_NOTHING,
        "~rf:note:*",
        "~rf:lock:*",
        "~rf:fence:*",
        *_CONNECTING,
        *("+evalsha", "+eval", "+script|load"),
        *("+hget", "+hmget", "+hset", "+hdel", "+exists", "+incr", "+pexpire", "+set", "+get", "+del"),
    ),
}
"""What the services' Redis users may do, as `ACL SETUSER` of Redis 7 reads it. fix-outcomes has no user."""
