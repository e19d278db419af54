"""What a command does: state, command and time in; what changes out, or a refusal. No I/O, no clock, no ids."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shared.contracts import commands
from shared.contracts.commands import Action, Command
from shared.contracts.problems import ProblemCode

from fix_outcomes.domain import fixes, sessions
from fix_outcomes.domain.refusals import Refused
from fix_outcomes.domain.steps import Decision, State

Rule = Callable[[State, Command, Any, datetime], Decision]

RULES: Mapping[type[Action], Rule] = {
    commands.AddMessage: sessions.add_message,
    commands.ConfirmFact: sessions.confirm_fact,
    commands.ResolveSession: sessions.resolve,
    commands.EscalateSession: sessions.escalate,
    commands.SuggestFix: fixes.suggest_fix,
    commands.ApplyFix: fixes.apply_fix,
    commands.RecordOutcome: fixes.record_outcome,
    commands.ProposeOutcome: fixes.propose_outcome,
    commands.ClearProposal: fixes.clear_proposal,
}


def decide(state: State, command: Command, *, at: datetime) -> Decision:
    """What the command does to an existing session. Raises `Refused`."""
    if command.if_match is not None and command.if_match != state.session.state_version:
        raise Refused(
            ProblemCode.VERSION_CONFLICT,
            f"The session is at version {state.session.state_version}, not {command.if_match}.",
            current=state.shown(command.action),
        )
    return RULES[type(command.action)](state, command, command.action, at)
