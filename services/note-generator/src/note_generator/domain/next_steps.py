"""What the next engineer should do, from what was recorded."""

from collections.abc import Callable, Mapping
from typing import Final

from shared.contracts.vocabulary import SessionStatus

from note_generator.domain import phrases
from note_generator.domain.bundle import Attempt, Bundle, Standing

_OPEN: Final = frozenset({Standing.PENDING, Standing.PARTIAL, Standing.UNJUDGED})


def next_steps(bundle: Bundle) -> list[str]:
    """One line each, the most urgent first."""
    subject = bundle.subject
    steps = _STEPS[subject.standing](subject, bundle) if subject else _without_fix(bundle)
    others = [each for each in bundle.attempts if each.standing in _OPEN]
    steps += [f"Also open: {phrases.fate(each)}" for each in others]
    if bundle.standing in {Standing.FAILED, Standing.DISMISSED}:
        untried = [each for each in bundle.attempts if each.standing is Standing.PROPOSED]
        steps = [_consider(each) for each in reversed(untried)] + steps
    return steps


def _pending(fix: Attempt, _: Bundle) -> list[str]:
    waiting_on = f": {phrases.words(fix.recorded)}" if fix.recorded else "."
    return [
        f"Follow up on what the verification is waiting for{waiting_on}",
        f"Then record what came of {phrases.named(fix)}: worked, partly, or did not work.",
        "If it did not work, go on from the confirmed facts; the change itself is in place.",
    ]


def _partial(fix: Attempt, _: Bundle) -> list[str]:
    so_far = f"; recorded so far: {phrases.words(fix.recorded)}" if fix.recorded else "."
    return [
        f"Do what is missing of {phrases.named(fix)}{so_far}",
        "Check the result with the client and record the outcome.",
    ]


def _unjudged(fix: Attempt, _: Bundle) -> list[str]:
    return [
        f"Find out whether {phrases.named(fix)} worked, and record the outcome.",
        "If it cannot be told yet, record it as pending with what it is waiting on.",
    ]


def _proposed(fix: Attempt, _: Bundle) -> list[str]:
    return [_consider(fix)]


def _consider(fix: Attempt) -> str:
    how_sure = f"(AI confidence {fix.confidence_pct} %)"
    return f"Decide on {phrases.named(fix)} {how_sure}: apply it, or dismiss it with a reason."


def _success(fix: Attempt, bundle: Bundle) -> list[str]:
    comes_back = f"If the problem comes back, start from {phrases.named(fix)}."
    if bundle.status is SessionStatus.RESOLVED:
        return ["Nothing is open.", comes_back]
    if bundle.status is SessionStatus.ESCALATED:
        return ["Ask the engineer before you what is still open: the recorded fix worked.", comes_back]
    return ["Make sure that the client agrees, then close the case.", comes_back]


def _failed(fix: Attempt, _: Bundle) -> list[str]:
    return [
        f"Check whether {phrases.named(fix)} has to be undone; the record does not say that it was.",
        "Look for another cause; the confirmed facts still hold.",
    ]


def _dismissed(fix: Attempt, _: Bundle) -> list[str]:
    steps = ["Look for another way; the confirmed facts still hold."]
    if fix.applied_at is not None:
        steps.append(
            f"Check whether {phrases.named(fix)} has left something behind: it had been applied before."
        )
    against = f": {phrases.words(fix.recorded)}" if fix.recorded else "; no reason was recorded."
    return [*steps, f"Before taking {phrases.named(fix)} up again, weigh what spoke against it{against}"]


def _without_fix(bundle: Bundle) -> list[str]:
    if bundle.status is SessionStatus.RESOLVED:
        return ["Nothing is open; no fix was recorded."]
    if not bundle.facts:
        return ["Narrow the problem down with the client, and record what is confirmed."]
    return ["Work out a first hypothesis from the confirmed facts."]


_STEPS: Final[Mapping[Standing, Callable[[Attempt, Bundle], list[str]]]] = {
    Standing.PENDING: _pending,
    Standing.PARTIAL: _partial,
    Standing.UNJUDGED: _unjudged,
    Standing.PROPOSED: _proposed,
    Standing.SUCCESS: _success,
    Standing.FAILED: _failed,
    Standing.DISMISSED: _dismissed,
}
