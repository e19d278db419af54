"""The client-visible document, by the template: what was recorded, claimed no further than it was."""

from collections.abc import Callable, Mapping
from typing import Final

from shared.contracts.vocabulary import SessionStatus

from note_generator.domain import phrases
from note_generator.domain.bundle import Attempt, Bundle, Standing
from note_generator.domain.plain import inline, item, quote, sentence

_INTAKE_LINES: Final = 12
_INTAKE_CHARACTERS: Final = 1_200
_FACTS: Final = 40

ROOT_CAUSES: Final[Mapping[Standing | None, str]] = {
    Standing.SUCCESS: (
        "The root cause was not definitively isolated. The problem ended with the change described under Resolution, "
        "so it most likely lies in what that change corrected."
    ),
    Standing.PENDING: (
        "Not confirmed yet. The change described under Resolution addresses the most likely cause; "
        "its verification will show whether that is right."
    ),
    Standing.PARTIAL: (
        "Not confirmed yet. The change described under Resolution addresses the most likely cause, "
        "but only part of it is in place so far."
    ),
    Standing.UNJUDGED: (
        "Not confirmed yet. The change described under Resolution addresses the most likely cause; "
        "its result is still being checked."
    ),
    Standing.FAILED: "Not found yet. The change described under Resolution did not remove the problem.",
    Standing.DISMISSED: "Not established. The change that had been considered is not being pursued.",
    Standing.PROPOSED: "Not confirmed yet. A possible cause is known, and a change for it has been suggested.",
    None: "Not found yet.",
}

NOT_ESTABLISHED: Final = "Not established in this case."

_WENT_TO_THE_CLIENT: Final = frozenset(
    {
        Standing.SUCCESS,
        Standing.FAILED,
        Standing.PARTIAL,
        Standing.PENDING,
        Standing.UNJUDGED,
        Standing.UNJUDGED_SUPERSEDED,
    }
)
"""Changes that were really made; mere suggestions are not the client's concern."""

_OUTSTANDING: Final = frozenset({Standing.PENDING, Standing.PARTIAL, Standing.UNJUDGED})


def sections(bundle: Bundle) -> tuple[str, str, str, str]:
    """Problem, What we confirmed, Root cause, Resolution."""
    return _problem(bundle), _confirmed(bundle), _root_cause(bundle), _resolution(bundle)


def _problem(bundle: Bundle) -> str:
    reported = quote(bundle.intake, lines=_INTAKE_LINES, characters=_INTAKE_CHARACTERS)
    return f"As reported:\n\n{reported}"


def _confirmed(bundle: Bundle) -> str:
    if not bundle.facts:
        closed = bundle.status is SessionStatus.RESOLVED
        return "No findings were recorded." if closed else "No findings have been confirmed yet."
    lines = [f"- {item(fact.text)}" for fact in bundle.facts[-_FACTS:]]
    earlier = len(bundle.facts) - len(lines)
    return "\n".join(lines + ([f"- *({earlier} earlier findings left out)*"] if earlier else []))


def _root_cause(bundle: Bundle) -> str:
    if bundle.status is SessionStatus.RESOLVED and bundle.standing is not Standing.SUCCESS:
        return NOT_ESTABLISHED
    return ROOT_CAUSES[bundle.standing]


def _resolution(bundle: Bundle) -> str:
    subject = bundle.subject
    if subject is None:
        paragraphs = ["No change has been made for this so far."]
    else:
        paragraphs = _SAY[subject.standing](subject)
        history = phrases.earlier(subject, names=False)
        if history:
            paragraphs += ["Earlier updates:", "\n".join(f"- {line}" for line in history)]
    others = [attempt for attempt in bundle.attempts if attempt.standing in _WENT_TO_THE_CLIENT]
    if others:
        paragraphs += [
            "Other changes that were tried:",
            "\n".join(f"- {sentence(phrases.fate(each))}" for each in others),
        ]
    return "\n\n".join([*paragraphs, *_case(bundle)])


def _success(fix: Attempt) -> list[str]:
    what = (
        f"Result: {phrases.words(fix.recorded)}" if fix.recorded else "The change was checked and it worked."
    )
    return [f"**Resolved** by this change: {inline(fix.title)}", *_in_detail(fix), what, *_times(fix)]


def _pending(fix: Attempt) -> list[str]:
    reason = phrases.words(fix.recorded) if fix.recorded else "the check is still outstanding"
    return [
        f"**Provisional.** Applied, awaiting verification: {reason}",
        f"The change: {inline(fix.title)}",
        *_in_detail(fix),
        *_times(fix),
        "Whether it has the intended effect is not known yet. An updated note follows once it has been verified.",
    ]


def _partial(fix: Attempt) -> list[str]:
    done = phrases.words(fix.recorded) if fix.recorded else "the rest is still outstanding"
    return [
        f"**Partly applied**, not finished: {done}",
        f"The change: {inline(fix.title)}",
        *_in_detail(fix),
        *_times(fix),
        "Next, the rest of the change is made and the result is checked.",
    ]


def _unjudged(fix: Attempt) -> list[str]:
    return [
        f"**Applied, result still open.** The change: {inline(fix.title)}",
        *_in_detail(fix),
        *_times(fix),
        "Whether it worked has not been recorded yet.",
    ]


def _failed(fix: Attempt) -> list[str]:
    what = (
        f"What happened: {phrases.words(fix.recorded)}"
        if fix.recorded
        else "No further details were recorded."
    )
    return [
        f"**Did not work.** This change was tried: {inline(fix.title)}",
        *_in_detail(fix),
        what,
        *_times(fix),
    ]


def _dismissed(fix: Attempt) -> list[str]:
    reason = [f"Reason: {phrases.words(fix.recorded)}"] if fix.recorded else []
    if fix.applied_at is None:
        return [
            f"**Not applied.** This change was considered and decided against: {inline(fix.title)}",
            *reason,
        ]
    return [
        f"**Set aside.** This change is not being pursued: {inline(fix.title)}",
        *reason,
        f"It was recorded as applied {phrases.moment(fix.applied_at)}; whether it was undone is not recorded.",
    ]


def _proposed(fix: Attempt) -> list[str]:
    return [f"**No change made yet.** This one has been suggested and not been applied: {inline(fix.title)}"]


_SAY: Final[Mapping[Standing, Callable[[Attempt], list[str]]]] = {
    Standing.SUCCESS: _success,
    Standing.PENDING: _pending,
    Standing.PARTIAL: _partial,
    Standing.UNJUDGED: _unjudged,
    Standing.FAILED: _failed,
    Standing.DISMISSED: _dismissed,
    Standing.PROPOSED: _proposed,
}


def _in_detail(fix: Attempt) -> list[str]:
    return [f"In detail: {phrases.detail(fix)}"]


def _times(fix: Attempt) -> list[str]:
    times = phrases.times(fix)
    return [times] if times else []


def _case(bundle: Bundle) -> list[str]:
    """How the case stands, where the fix alone does not say it; and what is next, where it is not over."""
    if bundle.status is SessionStatus.RESOLVED and bundle.standing in _OUTSTANDING:
        return ["The case was closed while this was still outstanding."]
    if bundle.status is SessionStatus.RESOLVED:
        worked = any(each.standing is Standing.SUCCESS for each in (bundle.subject, *bundle.attempts) if each)
        return ["The case is closed." if worked else "The case was closed without a recorded solution."]
    if bundle.status is SessionStatus.ESCALATED:
        along = ", and the outstanding verification with it" if bundle.standing is Standing.PENDING else ""
        return [f"The case has been handed over for further work{along}."]
    if bundle.standing in {Standing.FAILED, Standing.DISMISSED, Standing.PROPOSED, None}:
        return _next(bundle)
    return []


def _next(bundle: Bundle) -> list[str]:
    untried = [attempt for attempt in bundle.attempts if attempt.standing is Standing.PROPOSED]
    if untried:
        return [f"Next to be considered: {inline(untried[-1].title)}"]
    if bundle.standing is Standing.PROPOSED:
        return ["Next, it is decided whether this change is made."]
    return ["Next, the search for the cause continues."]
