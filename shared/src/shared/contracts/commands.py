"""Changes on their way to fix-outcomes. One message carries a batch; each command has its own fate."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from shared.contracts.text import (
    FixId,
    LongText,
    Message,
    Notes,
    Ref,
    SessionId,
    ShortText,
    Title,
    Traceparent,
    Version,
)
from shared.contracts.views import Actor, IntakeContent, OutcomeProposal, Ticket
from shared.contracts.vocabulary import ActionKind, MessageRole, Outcome, Visibility, notes_missing

MAX_BATCH = 128


class CreateSession(Message):
    """Open a session. Its id is the command's id, as is that of everything that a command creates."""

    kind: Literal[ActionKind.CREATE_SESSION] = ActionKind.CREATE_SESSION
    title: Title | None = Field(default=None, description="A heading for people")
    session_type: Literal["chat"] = Field(default="chat", description="How it is held")
    intake_type: Literal["free_text"] = Field(default="free_text", description="What the intake is")
    intake_content: IntakeContent
    ticket: Ticket | None = None


class AddMessage(Message):
    """Add one message to the conversation."""

    kind: Literal[ActionKind.ADD_MESSAGE] = ActionKind.ADD_MESSAGE
    session_id: SessionId
    role: MessageRole
    content: LongText = Field(description="The message, as it was written")


class ConfirmFact(Message):
    """Add one confirmed fact."""

    kind: Literal[ActionKind.CONFIRM_FACT] = ActionKind.CONFIRM_FACT
    session_id: SessionId
    text: ShortText = Field(description="The fact, in a sentence")
    visibility: Visibility = Visibility.CLIENT


class SuggestFix(Message):
    """Suggest a fix; it supersedes those of the session that are still `proposed`."""

    kind: Literal[ActionKind.SUGGEST_FIX] = ActionKind.SUGGEST_FIX
    session_id: SessionId
    title: Title = Field(description="What to do, in a line")
    description: LongText = Field(description="How to do it")
    confidence_pct: int = Field(ge=0, le=100, description="How sure the AI is")


class ApplyFix(Message):
    """The engineer ran the fix; there is no verdict yet."""

    kind: Literal[ActionKind.APPLY_FIX] = ActionKind.APPLY_FIX
    session_id: SessionId
    fix_id: FixId


class RecordOutcome(Message):
    """What came of the fix."""

    kind: Literal[ActionKind.RECORD_OUTCOME] = ActionKind.RECORD_OUTCOME
    session_id: SessionId
    fix_id: FixId
    outcome: Outcome
    notes: Notes | None = Field(
        default=None, description="Why it waits, what is missing, or what failed; required of parked ones"
    )

    @model_validator(mode="after")
    def _has_notes(self) -> "RecordOutcome":
        if notes_missing(self.outcome, self.notes):
            raise ValueError(f"{self.outcome} requires notes")
        return self


class ProposeOutcome(Message):
    """The AI's guess; it replaces an older one."""

    kind: Literal[ActionKind.PROPOSE_OUTCOME] = ActionKind.PROPOSE_OUTCOME
    session_id: SessionId
    fix_id: FixId
    proposal: OutcomeProposal


class ClearProposal(Message):
    """Reject or withdraw the AI's guess."""

    kind: Literal[ActionKind.CLEAR_PROPOSAL] = ActionKind.CLEAR_PROPOSAL
    session_id: SessionId
    fix_id: FixId


class ResolveSession(Message):
    """Close the session as resolved."""

    kind: Literal[ActionKind.RESOLVE_SESSION] = ActionKind.RESOLVE_SESSION
    session_id: SessionId


class EscalateSession(Message):
    """Hand the session to a colleague."""

    kind: Literal[ActionKind.ESCALATE_SESSION] = ActionKind.ESCALATE_SESSION
    session_id: SessionId


FixAction = ApplyFix | RecordOutcome | ProposeOutcome | ClearProposal
SessionAction = AddMessage | ConfirmFact | SuggestFix | ResolveSession | EscalateSession
Action = CreateSession | SessionAction | FixAction


class Command(Message):
    """One change, asked for by one person.

    `command_id` makes it idempotent: the command log answers a repeat. It comes from the account and the
    Idempotency-Key where there is one. `fingerprint` is a digest of the HTTP request: the same id with another
    fingerprint is a reused key. `ref` names the caller that waits, and is echoed in the answer.
    """

    ref: Ref
    command_id: UUID = Field(description="Makes it idempotent; also the id of what it creates")
    account_id: UUID = Field(description="The account that it is for")
    actor: Actor
    fingerprint: str = Field(max_length=64, description="Digest of the HTTP request")
    if_match: int | None = Field(
        default=None, description="Refuse it unless the session's state_version is this"
    )
    issued_at: AwareDatetime = Field(description="When the gateway took it")
    traceparent: Traceparent = None
    action: Annotated[Action, Field(discriminator="kind", description="What is to be done")]


class CommandBatch(Message):
    """1 to 128 commands. AMQP `reply_to` says where the answers go."""

    version: Version = 1
    commands: tuple[Command, ...] = Field(
        min_length=1, max_length=MAX_BATCH, description="Each is decided for itself"
    )
