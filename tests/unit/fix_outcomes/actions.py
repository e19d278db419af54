"""One of each action, and what a transaction answers."""

from uuid import UUID

from fix_outcomes_doubles import ACCOUNT, Record, add_message, confirm_fact, outcome_of, proposal, suggest_fix
from shared.contracts.commands import (
    Action,
    ApplyFix,
    ClearProposal,
    Command,
    EscalateSession,
    ProposeOutcome,
    ResolveSession,
)
from shared.contracts.views import OutcomeProposal


def codes(record: Record, *batch: Command) -> list[str | int]:
    """What one transaction answers: the refusal's code, or the status."""
    return [answer.body.get("code", answer.status) for answer in record.transact(batch)[0]]


def every_action(session: UUID, fix: UUID, *, guess: OutcomeProposal | None = None) -> list[Action]:
    return [
        add_message(session),
        confirm_fact(session),
        suggest_fix(session),
        ApplyFix(session_id=session, fix_id=fix),
        outcome_of(session, fix, "applied_success"),
        ProposeOutcome(session_id=session, fix_id=fix, proposal=guess or proposal()),
        ClearProposal(session_id=session, fix_id=fix),
        ResolveSession(session_id=session),
        EscalateSession(session_id=session),
    ]


KINDS = [action.kind for action in every_action(ACCOUNT, ACCOUNT)]


PEOPLE_ONLY = {"apply_fix", "record_outcome", "resolve_session", "escalate_session"}


def action_of(kind: str, session: UUID, fix: UUID, *, guess: OutcomeProposal | None = None) -> Action:
    return next(action for action in every_action(session, fix, guess=guess) if action.kind == kind)
