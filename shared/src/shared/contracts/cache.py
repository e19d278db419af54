"""Where notes are in Redis, and which keys note-generator coordinates itself by. A cache: it may vanish."""

from uuid import UUID

from shared.contracts.vocabulary import NoteKind

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
