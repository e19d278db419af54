"""How each step of a ticket reads in the demo's output."""

from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import Any

from shared.contracts.vocabulary import FixStatus, MessageRole

from devstack.api import Answer
from devstack.ticket_format import (
    Apply,
    Escalate,
    Later,
    Part,
    Propose,
    Race,
    Record,
    Reject,
    Resolve,
    Say,
    Suggest,
)


@singledispatch
def headline(step: Part) -> str:
    """One line for the demo's output; empty for what an onlooker need not see."""
    return ""


@headline.register
def _(step: Say) -> str:
    return f'client says     "{step.say.text}"' if step.say.role is MessageRole.CLIENT else ""


@headline.register
def _(step: Suggest) -> str:
    return f"AI suggests     {step.suggest.title} ({step.suggest.confidence_pct} %)"


@headline.register
def _(step: Propose) -> str:
    return f"AI proposes     {step.propose.outcome}: {step.propose.reason}"


@headline.register
def _(step: Reject) -> str:
    return f"rejected        what the AI proposed for {step.reject}"


@headline.register
def _(step: Apply) -> str:
    return f"applied         {step.apply}"


@headline.register
def _(step: Record) -> str:
    return f"{step.record.outcome:<15} {step.record.fix}: {step.record.notes or '(no notes)'}"


@headline.register
def _(step: Resolve) -> str:
    return "resolve         the session"


@headline.register
def _(step: Escalate) -> str:
    return "escalate        the session"


@headline.register
def _(step: Later) -> str:
    return f"... {step.later}"


def refusal(answer: Answer) -> str:
    """What the gateway said no with, and where the fixes stand that it names."""
    code, current = answer.body.get("code", ""), answer.body.get("current") or {}
    named = answer.body.get("fixes") or ([current] if "session_id" in current else [])
    stand = "".join(f"; '{fix['title']}' is {_standing(fix)}" for fix in named)
    return f"refused: {answer.status} {code}{stand}"


def _standing(fix: Mapping[str, Any]) -> str:
    if fix["superseded_at"]:
        return "superseded"
    if fix["status"] == FixStatus.PROPOSED and fix["applied_at"]:
        return "applied, without a verdict"
    return str(fix["status"])


def race_lines(step: Race, answers: Sequence[Answer]) -> list[str]:
    """Who won and what the others were told."""
    return [
        f"at once         {entry.by}: {entry.record.outcome} -> "
        + ("recorded" if answer.accepted else refusal(answer))
        for entry, answer in zip(step.race, answers, strict=True)
    ]
