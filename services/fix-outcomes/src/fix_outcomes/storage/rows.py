"""Rows to values and back. What people wrote is stored as it is; structures are stored as JSON."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson
from shared.contracts.text import Message
from shared.contracts.views import Actor, Author, HistoryEntry, OutcomeProposal, Ticket
from shared.contracts.vocabulary import FixStatus, MessageRole, SessionStatus, Visibility

from fix_outcomes.domain import views
from fix_outcomes.domain.batch import Logged
from fix_outcomes.domain.model import ChatMessage, Entry, Fact, Fix, Session

Row = Mapping[str, Any]

_SHOWN = ("sequence", "state_version", "kind", "fix_id", "notes", "at", "command_id")


def as_json(values: Iterable[Session | Fix | ChatMessage | Fact | Entry | Logged]) -> str:
    """The rows of one table as a JSON array, for `json_populate_recordset`."""
    rows = [{name: getattr(value, name) for name in value.__slots__} for value in values]
    return orjson.dumps(rows, default=_plain).decode()


def session(row: Row) -> Session:
    """A row of `sessions`."""
    return Session(
        **_same(row, Session, but=("status", "ticket", "created_by")),
        status=SessionStatus(row["status"]),
        ticket=Ticket.model_validate(row["ticket"]) if row["ticket"] is not None else None,
        created_by=Author.model_validate(row["created_by"]),
    )


def fix(row: Row) -> Fix:
    """A row of `suggested_fixes`."""
    proposal = row["ai_outcome_proposal"]
    return Fix(
        **_same(row, Fix, but=("status", "ai_outcome_proposal")),
        status=FixStatus(row["status"]),
        ai_outcome_proposal=None if proposal is None else OutcomeProposal.model_validate(proposal),
    )


def message(row: Row) -> ChatMessage:
    """A row of `messages`."""
    return ChatMessage(
        **_same(row, ChatMessage, but=("role", "author")),
        role=MessageRole(row["role"]),
        author=Author.model_validate(row["author"]),
    )


def fact(row: Row) -> Fact:
    """A row of `facts`."""
    return Fact(
        **_same(row, Fact, but=("visibility", "author")),
        visibility=Visibility(row["visibility"]),
        author=Author.model_validate(row["author"]),
    )


def logged(row: Row) -> Logged:
    """A row of `command_log`."""
    return Logged(**_same(row, Logged, but=("answer",)), answer=row["answer"])


def history_entry(row: Row) -> dict[str, Any]:
    """A row of `journal` as a person reads it."""
    shown = HistoryEntry.model_construct(
        **{name: row[name] for name in _SHOWN},
        from_=row["from_status"],
        to=row["to_status"],
        actor=Actor.model_validate(row["actor"]),
    )
    return shown.model_dump(mode="json", by_alias=True)


def event(row: Row) -> dict[str, Any]:
    """A row of `journal` as the CloudEvent that tells of it."""
    return views.event(
        account_id=row["account_id"],
        session_id=row["session_id"],
        sequence=row["sequence"],
        kind=row["kind"],
        fix_id=row["fix_id"],
        at=row["at"],
        data=row["data"],
    )


def _same(row: Row, kind: type[Any], *, but: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in kind.__slots__ if name not in but}


def _plain(value: object) -> object:
    if isinstance(value, Message):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, UUID):  # the driver's own subclass
        return str(value)
    raise TypeError(type(value).__name__)
