"""The words of the product: statuses, outcomes, roles, and the two rules about them that several services need."""

from collections.abc import Mapping
from enum import StrEnum
from unicodedata import category


class FixStatus(StrEnum):
    """Where a suggested fix stands; parked ones await a verdict, terminal ones never change again."""

    PROPOSED = "proposed"
    APPLIED_PENDING = "applied_pending"
    APPLIED_PARTIAL = "applied_partial"
    APPLIED_SUCCESS = "applied_success"
    APPLIED_FAILED = "applied_failed"
    DISMISSED = "dismissed"


class Outcome(StrEnum):
    """What an engineer can record about a fix: every status but `proposed`."""

    APPLIED_PENDING = "applied_pending"
    APPLIED_PARTIAL = "applied_partial"
    APPLIED_SUCCESS = "applied_success"
    APPLIED_FAILED = "applied_failed"
    DISMISSED = "dismissed"


class ProposedOutcome(StrEnum):
    """What the AI may guess about a fix. A guess never changes the fix's status."""

    SUCCESS = "success"
    FAILED = "failed"
    PARTIAL = "partial"
    PENDING = "pending"


class SessionStatus(StrEnum):
    """`active`, or closed in one of two ways."""

    ACTIVE = "active"
    RESOLVED = "resolved"
    ESCALATED = "escalated"


class Role(StrEnum):
    """The role claim of a token. `viewer` reads only; `service` is the AI or another program."""

    VIEWER = "viewer"
    ENGINEER = "engineer"
    LEAD = "lead"
    ADMIN = "admin"
    SERVICE = "service"


class MessageRole(StrEnum):
    """Who speaks in a session's conversation."""

    ENGINEER = "engineer"
    ASSISTANT = "assistant"
    CLIENT = "client"


class Visibility(StrEnum):
    """`internal` facts reach the escalation package alone."""

    CLIENT = "client"
    INTERNAL = "internal"


class NoteKind(StrEnum):
    """The two documents of a session."""

    RESOLUTION_NOTE = "resolution_note"
    ESCALATION_PACKAGE = "escalation_package"


class Generator(StrEnum):
    """Which writer made a document."""

    LLM = "llm"
    TEMPLATE = "template"


class Service(StrEnum):
    """The services, by the name that their broker user has too."""

    GATEWAY = "gateway"
    FIX_OUTCOMES = "fix-outcomes"
    NOTE_GENERATOR = "note-generator"


PARKED = frozenset({FixStatus.APPLIED_PENDING, FixStatus.APPLIED_PARTIAL})
TERMINAL = frozenset({FixStatus.APPLIED_SUCCESS, FixStatus.APPLIED_FAILED, FixStatus.DISMISSED})

_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
"""Unicode's categories of what shows nothing: a reason of zero-width spaces is none."""

NOTES_REQUIRED = frozenset({Outcome.APPLIED_PENDING, Outcome.APPLIED_PARTIAL})


def notes_missing(outcome: Outcome, notes: str | None) -> bool:
    """Whether this outcome cannot be recorded without words saying why (HTTP 400, not 422)."""
    return outcome in NOTES_REQUIRED and all(category(character) in _INVISIBLE for character in notes or "")


class ActionKind(StrEnum):
    """Every change that can be asked for; one command each."""

    CREATE_SESSION = "create_session"
    ADD_MESSAGE = "add_message"
    CONFIRM_FACT = "confirm_fact"
    SUGGEST_FIX = "suggest_fix"
    APPLY_FIX = "apply_fix"
    RECORD_OUTCOME = "record_outcome"
    PROPOSE_OUTCOME = "propose_outcome"
    CLEAR_PROPOSAL = "clear_proposal"
    RESOLVE_SESSION = "resolve_session"
    ESCALATE_SESSION = "escalate_session"


_PEOPLE = frozenset({Role.ENGINEER, Role.LEAD, Role.ADMIN})
_PEOPLE_AND_PROGRAMS = _PEOPLE | {Role.SERVICE}

ALLOWED_ROLES: Mapping[ActionKind, frozenset[Role]] = {
    ActionKind.CREATE_SESSION: _PEOPLE_AND_PROGRAMS,
    ActionKind.ADD_MESSAGE: _PEOPLE_AND_PROGRAMS,
    ActionKind.CONFIRM_FACT: _PEOPLE_AND_PROGRAMS,
    ActionKind.SUGGEST_FIX: _PEOPLE_AND_PROGRAMS,
    ActionKind.PROPOSE_OUTCOME: _PEOPLE_AND_PROGRAMS,
    ActionKind.CLEAR_PROPOSAL: _PEOPLE_AND_PROGRAMS,
    # What came of a fix is a person's word: a program proposes, a person records.
    ActionKind.APPLY_FIX: _PEOPLE,
    ActionKind.RECORD_OUTCOME: _PEOPLE,
    ActionKind.RESOLVE_SESSION: _PEOPLE,
    ActionKind.ESCALATE_SESSION: _PEOPLE,
}
