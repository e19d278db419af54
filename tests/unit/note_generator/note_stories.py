"""Sessions for the tests of the notes, told step by step; the record's stamps follow product.md section 3."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from shared.contracts.views import (
    Actor,
    Author,
    ChatMessage,
    Fact,
    Fix,
    HistoryEntry,
    IntakeContent,
    Session,
    Snapshot,
    Ticket,
)
from shared.contracts.vocabulary import FixStatus, MessageRole, Role, SessionStatus, Visibility

TICKETS = Path(__file__).parents[3] / "examples" / "tickets"
SESSION = UUID("0192f000-0000-7000-8000-000000000001")
BEGAN = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
COLUMNS = {
    FixStatus.APPLIED_PENDING: "pending_reason",
    FixStatus.APPLIED_PARTIAL: "partial_notes",
    FixStatus.APPLIED_FAILED: "failure_reason",
}


@dataclass
class Story:
    """What happened in a session, a few minutes apart."""

    intake: str = "No internet at reception since this morning."
    title: str | None = None
    ticket: Ticket | None = None
    engineer: str = "Sam Okafor"
    session_id: UUID = SESSION
    status: SessionStatus = SessionStatus.ACTIVE
    at: datetime = BEGAN
    version: int = 0
    ids: int = 16
    messages: list[ChatMessage] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    fixes: dict[str, Fix] = field(default_factory=dict)
    transitions: list[HistoryEntry] = field(default_factory=list)

    def say(self, role: str, text: str) -> Self:
        self._step()
        author = Author(id=self._id(), name=self.engineer)
        message = ChatMessage(
            id=self._id(), role=MessageRole(role), content=text, author=author, created_at=self.at
        )
        self.messages.append(message)
        return self

    def fact(self, text: str, visibility: str = "client") -> Self:
        self._step()
        author = Author(id=self._id(), name=self.engineer)
        self.facts.append(
            Fact(
                id=self._id(), text=text, visibility=Visibility(visibility), author=author, created_at=self.at
            )
        )
        return self

    def suggest(
        self,
        title: str,
        description: str = "Do it, then check.",
        confidence: int = 80,
        name: str | None = None,
    ) -> Self:
        self._step()
        for key, fix in self.fixes.items():
            if fix.status is FixStatus.PROPOSED and fix.superseded_at is None:
                self.fixes[key] = fix.model_copy(update={"superseded_at": self.at})
        self.fixes[name or title] = Fix(
            id=self._id(),
            session_id=self.session_id,
            title=title,
            description=description,
            confidence_pct=confidence,
            status=FixStatus.PROPOSED,
            created_at=self.at,
            updated_at=self.at,
            state_version=self.version,
            allowed_outcomes=(),
        )
        return self

    def apply(self, name: str) -> Self:
        self._step()
        self._update(name, applied_at=self.fixes[name].applied_at or self.at)
        self._history(name, "proposed", "proposed", None)
        return self

    def record(self, name: str, outcome: str, notes: str | None = None) -> Self:
        self._step()
        fix, status = self.fixes[name], FixStatus(outcome)
        changes: dict[str, Any] = {"status": status}
        if status is not FixStatus.DISMISSED:
            changes["applied_at"] = fix.applied_at or self.at
        if status in {FixStatus.APPLIED_SUCCESS, FixStatus.APPLIED_FAILED}:
            changes["verified_at"] = self.at
        if notes and status in COLUMNS:
            changes[COLUMNS[status]] = notes
        self._history(name, fix.status, status, notes)
        self._update(name, **changes)
        return self

    def later(self, minutes: int) -> Self:
        self.at += timedelta(minutes=minutes)
        return self

    def close(self, status: str) -> Self:
        self._step()
        self.status = SessionStatus(status)
        return self

    def snapshot(self) -> Snapshot:
        session = Session(
            id=self.session_id,
            title=self.title,
            status=self.status,
            session_type="chat",
            intake_type="free_text",
            intake_content=IntakeContent(text=self.intake),
            ticket=self.ticket,
            state_version=self.version,
            sequence=self.version,
            created_by=Author(id=UUID(int=14), name=self.engineer),
            created_at=BEGAN,
            updated_at=self.at,
        )
        return Snapshot(
            session=session,
            fixes=tuple(self.fixes.values()),
            facts=tuple(self.facts),
            messages=tuple(self.messages),
            message_count=len(self.messages),
            transitions=tuple(self.transitions),
        )

    def _step(self) -> None:
        self.version += 1
        self.at += timedelta(minutes=7)

    def _id(self) -> UUID:
        self.ids += 1
        return UUID(int=self.ids)

    def _update(self, name: str, **changes: Any) -> None:
        self.fixes[name] = self.fixes[name].model_copy(update=changes | {"updated_at": self.at})

    def _history(self, name: str, before: str, after: str, notes: str | None) -> None:
        actor = Actor(id=UUID(int=14), name=self.engineer, role=Role.ENGINEER)
        entry = {
            "sequence": self.version,
            "state_version": self.version,
            "kind": "fix.outcome_recorded",
            "fix_id": self.fixes[name].id,
            "from": before,
            "to": after,
            "notes": notes,
            "actor": actor,
            "at": self.at,
            "command_id": self._id(),
        }
        self.transitions.append(HistoryEntry.model_validate(entry))


def played(ticket: dict[str, Any]) -> Story:
    """The story of one of the demo's tickets, up to its end."""
    intake: str | Sequence[str] = ticket["intake"]
    story = Story(
        intake=intake if isinstance(intake, str) else "\n".join(intake),
        title=ticket["title"],
        ticket=Ticket.model_validate(ticket["ticket"]) if "ticket" in ticket else None,
        engineer=ticket.get("engineer", "Sam Okafor"),
    )
    for step in ticket["steps"]:
        if step.get("expect", 200) < 400:
            _play(story, step)
    return story


def _play(story: Story, step: dict[str, Any]) -> None:
    match step:
        case {"say": {"as": role, "text": text}}:
            story.say(role, text if isinstance(text, str) else "\n".join(text))
        case {"fact": text}:
            story.fact(text, step.get("visibility", "client"))
        case {"suggest": fix}:
            story.suggest(fix["title"], fix["description"], fix["confidence_pct"], name=fix["name"])
        case {"apply": str(name)}:
            story.apply(name)
        case {"record": {"fix": name, "outcome": outcome} as recorded}:
            story.record(name, outcome, recorded.get("notes"))
        case {"resolve": _}:
            story.close("resolved")
        case {"escalate": _}:
            story.close("escalated")


def tickets() -> dict[str, dict[str, Any]]:
    """The demo's tickets by name."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(TICKETS.glob("*.json"))
    }
