"""What may happen to a suggested fix: suggested, applied, judged, guessed about."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.contracts import commands, events
from shared.contracts.commands import Command
from shared.contracts.problems import ProblemCode
from shared.contracts.vocabulary import FixStatus, SessionStatus

from fix_outcomes.domain import views
from fix_outcomes.domain.model import Fix, Session
from fix_outcomes.domain.refusals import Refused
from fix_outcomes.domain.steps import Decision, State, active, change, changed, closed, entry
from fix_outcomes.domain.transitions import TRANSITIONS

_VERDICTS = frozenset({FixStatus.APPLIED_SUCCESS, FixStatus.APPLIED_FAILED})

_NOTES_COLUMN: Mapping[FixStatus, str] = {
    FixStatus.APPLIED_PENDING: "pending_reason",
    FixStatus.APPLIED_PARTIAL: "partial_notes",
    FixStatus.APPLIED_FAILED: "failure_reason",
}


def suggest_fix(state: State, command: Command, action: commands.SuggestFix, at: datetime) -> Decision:
    session = changed(active(state), at)
    fix = Fix(
        id=command.command_id,
        account_id=session.account_id,
        session_id=session.id,
        title=action.title,
        description=action.description,
        confidence_pct=action.confidence_pct,
        status=FixStatus.PROPOSED,
        applied_at=None,
        verified_at=None,
        partial_notes=None,
        pending_reason=None,
        failure_reason=None,
        ai_outcome_proposal=None,
        superseded_at=None,
        created_at=at,
        updated_at=at,
    )
    replaced = tuple(
        replace(older, superseded_at=at, updated_at=at) for older in state.fixes.values() if older.replaceable
    )
    data = events.FixSuggested(
        **change(command, session),
        fix_id=fix.id,
        title=fix.title,
        confidence_pct=fix.confidence_pct,
        supersedes=tuple(older.id for older in replaced),
    )
    step = entry(command, session, "fix.suggested", data, at, fix=fix, to=fix.status)
    body = views.fix(fix, session)
    return Decision(status=201, body=body, session=session, fixes=(*replaced, fix), entry=step)


def apply_fix(state: State, command: Command, action: commands.ApplyFix, at: datetime) -> Decision:
    fix = state.fix(action.fix_id)
    if fix.status is not FixStatus.PROPOSED:
        raise _conflict(ProblemCode.NOT_PROPOSED, f"The fix is already {fix.status}.", state, fix)
    if fix.applied_at is not None:
        return Decision(status=200, body=views.fix(fix, state.session), session=state.session)
    _answerable(state, fix)
    session = changed(_open_for(state, fix), at)
    fix = replace(fix, applied_at=at, updated_at=at)
    data = events.FixApplied(**change(command, session), fix_id=fix.id, applied_at=at)
    return _fix_changed(command, session, fix, kind="fix.applied", data=data, at=at)


def record_outcome(state: State, command: Command, action: commands.RecordOutcome, at: datetime) -> Decision:
    before = state.fix(action.fix_id)
    status = FixStatus(action.outcome)
    if status not in TRANSITIONS[before.status]:
        detail = f"The outcome {before.status} is final; it cannot become {status}."
        raise _conflict(ProblemCode.OUTCOME_FINAL, detail, state, before)
    _answerable(state, before)
    session = changed(_open_for(state, before), at)
    notes = action.notes or None
    fix = replace(
        before,
        status=status,
        applied_at=before.applied_at if status is FixStatus.DISMISSED else before.applied_at or at,
        verified_at=at if status in _VERDICTS else before.verified_at,
        ai_outcome_proposal=None,
        updated_at=at,
        **_where_notes_go(status, notes),
    )
    data = events.OutcomeRecorded(
        **change(command, session),
        **{"from": before.status},
        fix_id=fix.id,
        to=status,
        notes=notes,
        pending_reason=fix.pending_reason,
        partial_notes=fix.partial_notes,
        failure_reason=fix.failure_reason,
        applied_at=fix.applied_at,
        verified_at=fix.verified_at,
        cleared_proposal=before.ai_outcome_proposal is not None,
    )
    return _fix_changed(
        command, session, fix, kind="fix.outcome_recorded", data=data, at=at, before=before, notes=notes
    )


def propose_outcome(
    state: State, command: Command, action: commands.ProposeOutcome, at: datetime
) -> Decision:
    fix = state.fix(action.fix_id)
    if fix.terminal:
        detail = f"The outcome {fix.status} is final; there is nothing to propose."
        raise _conflict(ProblemCode.OUTCOME_FINAL, detail, state, fix)
    _answerable(state, fix)
    session = changed(active(state, fix), at, note=False)
    fix = replace(fix, ai_outcome_proposal=action.proposal, updated_at=at)
    data = events.OutcomeProposed(
        **change(command, session),
        fix_id=fix.id,
        outcome=action.proposal.outcome,
        reason=action.proposal.reason,
        confidence_pct=action.proposal.confidence_pct,
    )
    return _fix_changed(command, session, fix, kind="fix.outcome_proposed", data=data, at=at)


def clear_proposal(state: State, command: Command, action: commands.ClearProposal, at: datetime) -> Decision:
    fix = state.fix(action.fix_id)
    if fix.ai_outcome_proposal is None:
        return Decision(status=200, body=views.fix(fix, state.session), session=state.session)
    session = changed(active(state, fix), at, note=False)
    fix = replace(fix, ai_outcome_proposal=None, updated_at=at)
    data = events.ProposalCleared(**change(command, session), fix_id=fix.id)
    return _fix_changed(command, session, fix, kind="fix.outcome_proposal_cleared", data=data, at=at)


def _where_notes_go(status: FixStatus, notes: str | None) -> dict[str, Any]:
    column = _NOTES_COLUMN.get(status)
    return {column: notes} if column and notes else {}


def _open_for(state: State, fix: Fix) -> Session:
    """The session, if it takes an outcome on this fix: a parked one went along with an escalation."""
    session = state.session
    if session.active or (session.status is SessionStatus.ESCALATED and fix.parked):
        return session
    raise closed(state, fix)


def _answerable(state: State, fix: Fix) -> None:
    if fix.superseded:
        raise _conflict(ProblemCode.FIX_SUPERSEDED, "A newer suggestion has replaced this fix.", state, fix)


def _conflict(code: ProblemCode, detail: str, state: State, fix: Fix) -> Refused:
    return Refused(code, detail, current=views.fix(fix, state.session))


def _fix_changed(
    command: Command,
    session: Session,
    fix: Fix,
    *,
    kind: str,
    data: events.Change,
    at: datetime,
    before: Fix | None = None,
    notes: str | None = None,
) -> Decision:
    step = entry(
        command,
        session,
        kind,
        data,
        at,
        fix=fix,
        from_status=before.status if before else None,
        to=fix.status if before else None,
        notes=notes,
    )
    return Decision(status=200, body=views.fix(fix, session), session=session, fixes=(fix,), entry=step)
