"""What each step of a ticket asks the gateway."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from shared.contracts.vocabulary import MessageRole, Role

from devstack.api import Answer, Call
from devstack.ticket_format import (
    Apply,
    Confirm,
    Escalate,
    PersonStep,
    Propose,
    Record,
    Reject,
    Resolve,
    Say,
    Step,
    Suggest,
    Ticket,
)

AI = "ResolutionFlow AI"
TokenFor = Callable[[str, Role], str]


@dataclass
class Scene:
    """A ticket under way: its session, and the ids that the gateway gave to its fixes and messages."""

    ticket: Ticket
    token_for: TokenFor
    session: str = ""
    fixes: dict[str, str] = field(default_factory=dict)
    messages: list[tuple[str, str]] = field(default_factory=list)

    def engineer(self, step: PersonStep | None = None) -> str:
        """A token of the person who does this step."""
        return self.token_for((step and step.by) or self.ticket.engineer, Role.ENGINEER)

    def ai(self) -> str:
        """A token of the AI, which suggests and proposes and never records."""
        return self.token_for(AI, Role.SERVICE)

    def path(self, rest: str = "") -> str:
        """The address of this session, or of something below it."""
        return f"/api/v1/ai-sessions/{self.session}{rest}"

    def fix_path(self, name: str, rest: str = "") -> str:
        """The address of a fix, or of something below it."""
        return self.path(f"/suggested-fixes/{self.fixes[name]}{rest}")

    def quoted(self, quote: str) -> Mapping[str, str]:
        """Evidence: the quote and the newest message that says it."""
        message = next(id_ for id_, text in reversed(self.messages) if quote in text)
        return {"message_id": message, "quote": quote}

    def remember(self, step: Step, answer: Answer) -> None:
        """Keep the ids that later steps refer to."""
        if isinstance(step, Suggest):
            self.fixes[step.suggest.name] = answer.body["id"]
        if isinstance(step, Say):
            self.messages.append((answer.body["id"], step.say.text))


def opening(scene: Scene) -> Call:
    """The request that opens the session of a ticket."""
    ticket = scene.ticket
    body: dict[str, Any] = {
        "session_type": "chat",
        "intake_type": "free_text",
        "intake_content": {"text": ticket.intake},
        "title": ticket.title,
    }
    if ticket.ticket:
        body["ticket"] = ticket.ticket.model_dump(mode="json", exclude_none=True)
    return Call("open session", "POST", "/api/v1/ai-sessions", scene.engineer(), body)


@singledispatch
def call_for(step: Step, scene: Scene) -> Call:
    """The request of one step. Raises TypeError for a step that sends nothing."""
    raise TypeError(f"{type(step).__name__} sends nothing")


@call_for.register
def _(step: Say, scene: Scene) -> Call:
    token = scene.ai() if step.say.role is MessageRole.ASSISTANT else scene.engineer(step)
    body = {"role": step.say.role, "content": step.say.text}
    return Call("message", "POST", scene.path("/messages"), token, body)


@call_for.register
def _(step: Confirm, scene: Scene) -> Call:
    body = {"text": step.fact, "visibility": step.visibility}
    return Call("fact", "POST", scene.path("/facts"), scene.engineer(step), body)


@call_for.register
def _(step: Suggest, scene: Scene) -> Call:
    body = step.suggest.model_dump(exclude={"name"})
    return Call("suggest fix", "POST", scene.path("/suggested-fixes"), scene.ai(), body)


@call_for.register
def _(step: Propose, scene: Scene) -> Call:
    body = step.propose.model_dump(mode="json", exclude={"fix", "evidence"}, exclude_none=True)
    body["evidence"] = [scene.quoted(quote) for quote in step.propose.evidence]
    path = scene.fix_path(step.propose.fix, "/ai-outcome-proposal")
    return Call("AI proposal", "PUT", path, scene.ai(), body)


@call_for.register
def _(step: Reject, scene: Scene) -> Call:
    path = scene.fix_path(step.reject, "/ai-outcome-proposal")
    return Call("AI proposal", "DELETE", path, scene.engineer(step))


@call_for.register
def _(step: Apply, scene: Scene) -> Call:
    return Call("apply", "POST", scene.fix_path(step.apply, "/apply"), scene.engineer(step))


@call_for.register
def _(step: Record, scene: Scene) -> Call:
    body = step.record.model_dump(mode="json", exclude={"fix"}, exclude_none=True)
    path = scene.fix_path(step.record.fix, "/outcome")
    return Call("record outcome", "PATCH", path, scene.engineer(step), body)


@call_for.register
def _(step: Resolve, scene: Scene) -> Call:
    return Call("resolve", "POST", scene.path("/resolve"), scene.engineer(step))


@call_for.register
def _(step: Escalate, scene: Scene) -> Call:
    return Call("escalate", "POST", scene.path("/escalate"), scene.engineer(step))
