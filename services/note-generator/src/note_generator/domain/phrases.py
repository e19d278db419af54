"""How the template says what was recorded: the same words in both documents."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from shared.contracts.vocabulary import FixStatus

from note_generator.domain.bundle import Attempt, Standing
from note_generator.domain.plain import inline, one_line, sentence, shortened

_LONGEST_DETAIL: Final = 700

RESULT: Final[Mapping[Standing, str]] = {
    Standing.SUCCESS: "worked",
    Standing.FAILED: "did not work",
    Standing.PARTIAL: "partly applied",
    Standing.PENDING: "applied, awaiting verification",
    Standing.DISMISSED: "not applied",
    Standing.UNJUDGED: "applied, result not recorded yet",
    Standing.UNJUDGED_SUPERSEDED: "applied, replaced before a result was recorded",
    Standing.PROPOSED: "suggested, not applied",
    Standing.SUPERSEDED: "suggested, replaced before it was applied",
}

_UNVERIFIED: Final = frozenset({Standing.PENDING, Standing.PARTIAL, Standing.UNJUDGED})

OUTCOME: Final[Mapping[FixStatus, str]] = {
    FixStatus.APPLIED_SUCCESS: "worked",
    FixStatus.APPLIED_FAILED: "did not work",
    FixStatus.APPLIED_PARTIAL: "partly applied",
    FixStatus.APPLIED_PENDING: "awaiting verification",
    FixStatus.DISMISSED: "set aside",
}


def named(attempt: Attempt) -> str:
    """The fix by its title, in quotation marks."""
    return f"“{inline(attempt.title)}”"


def verdict(attempt: Attempt) -> str:
    """What became of it."""
    if attempt.standing is Standing.DISMISSED and attempt.was_applied:
        return "set aside after it had been applied"
    return RESULT[attempt.standing]


def result(attempt: Attempt) -> str:
    """What became of it, with the words that were recorded."""
    what = verdict(attempt)
    return f"{what}: {words(attempt.recorded)}" if attempt.recorded else what


def fate(attempt: Attempt) -> str:
    """The fix by its title, and what became of it."""
    return f"{named(attempt)} \u2013 {result(attempt)}"


def words(recorded: str) -> str:
    """What a person recorded, word for word, on one line."""
    return inline(recorded)


def detail(attempt: Attempt) -> str:
    """What the fix consists of, on one line."""
    return sentence(inline(shortened(one_line(attempt.description), _LONGEST_DETAIL)))


def moment(at: datetime) -> str:
    """A time that reads the same in every country."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def times(attempt: Attempt) -> str | None:
    """When it was applied and verified, as far as it was."""
    if attempt.applied_at is None:
        return None
    applied = f"Applied {moment(attempt.applied_at)}"
    if attempt.verified_at is not None:
        verdict = "verified" if attempt.standing is Standing.SUCCESS else "checked"
        return f"{applied}, {verdict} {moment(attempt.verified_at)}."
    return f"{applied}; not verified yet." if attempt.standing in _UNVERIFIED else f"{applied}."


def earlier(attempt: Attempt, *, names: bool) -> list[str]:
    """What had been recorded before the present outcome, a line each."""
    lines: list[str] = []
    told = {attempt.recorded}
    for step in attempt.steps:
        if step.notes is None or step.notes in told:
            continue
        told.add(step.notes)
        by = f", {inline(step.by)}" if names and step.by else ""
        lines.append(f"{moment(step.at)}{by}, {OUTCOME[step.outcome]}: {words(step.notes)}")
    # A long history may be cut to its newest entries; the columns still know.
    columns = (
        ("awaiting verification", attempt.pending_reason),
        ("partly applied", attempt.partial_notes),
        ("did not work", attempt.failure_reason),
    )
    cut = [f"Recorded before, {what}: {words(text)}" for what, text in columns if text and text not in told]
    return cut + lines
