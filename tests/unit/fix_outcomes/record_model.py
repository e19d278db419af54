"""Section 3 of product.md a second time, in plain words: what the record answers and holds."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.contracts.commands import (
    Command,
)
from unit.fix_outcomes.actions import PEOPLE_ONLY
from unit.fix_outcomes.outcomes import FINAL, PARKED

COLUMN = {
    "applied_pending": "pending_reason",
    "applied_partial": "partial_notes",
    "applied_failed": "failure_reason",
}
FIX_KINDS = ("apply_fix", "record_outcome", "propose_outcome", "clear_proposal")

Result = str | int


@dataclass
class FixModel:
    id: UUID
    status: str = "proposed"
    columns: dict[str, str] = field(default_factory=dict)
    applied: int | None = None
    """The sequence of the change that stamped it."""
    verified: int | None = None
    guess: str | None = None
    superseded: bool = False


@dataclass
class SessionModel:
    account: UUID
    status: str = "active"
    version: int = 1
    sequence: int = 1
    fixes: dict[UUID, FixModel] = field(default_factory=dict)

    def change(self, *, note: bool = True) -> int:
        self.sequence += 1
        self.version += note
        return self.sequence


class Model:
    """What section 3 says, one command after another."""

    def __init__(self) -> None:
        self.sessions: dict[UUID, SessionModel] = {}
        self.first: dict[tuple[UUID, UUID], tuple[str, set[Result]]] = {}

    def expect(self, asked: Command) -> tuple[set[Result], bool]:
        """Which answers are right, and whether it is a repeat."""
        key = asked.account_id, asked.command_id
        if key in self.first and self.first[key][0] == asked.fingerprint:
            return self.first[key][1], True
        results = self.decide(asked, reused=key in self.first)
        self.first.setdefault(key, (asked.fingerprint, results))
        return results, False

    def decide(self, asked: Command, *, reused: bool) -> set[Result]:
        """The checks in their order: 403, 404, 422 (key reused), 412; then the rules."""
        action: Any = asked.action
        if self.may_not(asked):
            return {"forbidden"}
        if action.kind != "create_session" and self.nothing_there(asked):
            return {"not_found"}
        if reused:
            return {"idempotency_key_reused"}
        if action.kind == "create_session":
            self.sessions[asked.command_id] = SessionModel(asked.account_id)
            return {201}
        return self.on_known(self.sessions[action.session_id], asked)

    def on_known(self, session: SessionModel, asked: Command) -> set[Result]:
        action: Any = asked.action
        if asked.if_match not in {None, session.version}:
            return {"version_conflict"}
        if action.kind in FIX_KINDS:
            return self.on_fix(session, session.fixes[action.fix_id], action)
        return self.on_session(session, asked.command_id, action)

    def may_not(self, asked: Command) -> bool:
        role = asked.actor.role
        return role == "viewer" or (role == "service" and asked.action.kind in PEOPLE_ONLY)

    def nothing_there(self, asked: Command) -> bool:
        action: Any = asked.action
        session = self.sessions.get(action.session_id)
        if session is None or session.account != asked.account_id:
            return True
        return action.kind in FIX_KINDS and action.fix_id not in session.fixes

    def on_session(self, session: SessionModel, new_id: UUID, action: Any) -> set[Result]:
        if session.status != "active":
            return {"session_closed"}
        if action.kind in {"add_message", "confirm_fact"}:
            session.change()
            return {201}
        if action.kind == "suggest_fix":
            for older in session.fixes.values():
                older.superseded = older.superseded or older.status == "proposed"
            session.fixes[new_id] = FixModel(new_id)
            session.change()
            return {201}
        fixes = [fix for fix in session.fixes.values() if not fix.superseded]
        waiting = [fix for fix in fixes if fix.status == "proposed" and fix.applied]
        parked = [fix for fix in fixes if fix.status in PARKED]
        if waiting or (parked and action.kind == "resolve_session"):
            return {"fix_needs_outcome"}
        session.change()
        session.status = "resolved" if action.kind == "resolve_session" else "escalated"
        return {200}

    def on_fix(self, session: SessionModel, fix: FixModel, action: Any) -> set[Result]:
        refusals = self.refusals(session, fix, action.kind)
        if action.kind == "clear_proposal" and fix.guess is None:
            return {200}
        if action.kind == "apply_fix" and fix.status == "proposed" and fix.applied:
            return {200}
        if refusals:
            return refusals
        if action.kind == "apply_fix":
            fix.applied = session.change()
        elif action.kind == "record_outcome":
            self.record(session, fix, str(action.outcome), action.notes)
        else:
            session.change(note=False)
            fix.guess = action.proposal.reason if action.kind == "propose_outcome" else None
        return {200}

    def refusals(self, session: SessionModel, fix: FixModel, kind: str) -> set[Result]:
        """Why it is 409. Where several reasons hold, section 3 does not say which is named."""
        reasons: set[Result] = set()
        if session.status != "active":
            answerable = session.status == "escalated" and fix.status in PARKED
            if not (kind == "record_outcome" and answerable):
                reasons.add("session_closed")
        if kind == "clear_proposal":
            return reasons
        if fix.superseded:
            reasons.add("fix_superseded")
        if kind == "apply_fix" and fix.status != "proposed":
            reasons.add("not_proposed")
        if kind != "apply_fix" and fix.status in FINAL:
            reasons.add("outcome_final")
        return reasons

    def record(self, session: SessionModel, fix: FixModel, outcome: str, notes: str | None) -> None:
        here = session.change()
        fix.status, fix.guess = outcome, None
        if outcome != "dismissed":
            fix.applied = fix.applied or here
        if outcome in {"applied_success", "applied_failed"}:
            fix.verified = here
        if notes and outcome in COLUMN:
            fix.columns[COLUMN[outcome]] = notes
