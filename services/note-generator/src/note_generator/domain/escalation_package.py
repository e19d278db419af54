"""The internal document for the next engineer, by the template: what is known, what was tried, what is open."""

from collections.abc import Mapping
from typing import Final

from shared.contracts.vocabulary import MessageRole, SessionStatus

from note_generator.domain import phrases
from note_generator.domain.bundle import Attempt, Bundle, Standing
from note_generator.domain.next_steps import next_steps
from note_generator.domain.plain import inline, item, quote, sentence

_INTAKE_LINES: Final = 30
_INTAKE_CHARACTERS: Final = 3_000
_FACTS: Final = 80
_LAST_MESSAGES: Final = 3
_MESSAGE_LINES: Final = 6
_MESSAGE_CHARACTERS: Final = 500

_STATE: Final[Mapping[SessionStatus, str]] = {
    SessionStatus.ACTIVE: "in progress",
    SessionStatus.RESOLVED: "closed as resolved",
    SessionStatus.ESCALATED: "escalated",
}
_SPEAKER: Final[Mapping[MessageRole, str]] = {
    MessageRole.CLIENT: "Client",
    MessageRole.ENGINEER: "Engineer",
    MessageRole.ASSISTANT: "AI assistant",
}


def sections(bundle: Bundle) -> tuple[str, str, str, str, str]:
    """Problem, What we've confirmed, What we've tried, Current hypothesis, Suggested next steps."""
    return (
        _problem(bundle),
        _confirmed(bundle),
        _tried(bundle),
        _hypothesis(bundle),
        "\n".join(f"- {step}" for step in next_steps(bundle)),
    )


def _problem(bundle: Bundle) -> str:
    paragraphs = [sentence(item(bundle.title))] if bundle.title else []
    record = [f"- Opened: {phrases.moment(bundle.opened_at)}" + _by(bundle.opened_by)]
    if bundle.ticket:
        url = f" ({inline(bundle.ticket_url)})" if bundle.ticket_url else ""
        record.insert(0, f"- Ticket: {inline(bundle.ticket)}{url}")
    record += [f"- Case: {_STATE[bundle.status]}", f"- {bundle.outcome_status}"]
    reported = quote(bundle.intake, lines=_INTAKE_LINES, characters=_INTAKE_CHARACTERS)
    return "\n\n".join([*paragraphs, "\n".join(record), "As reported:", reported])


def _confirmed(bundle: Bundle) -> str:
    if not bundle.facts:
        return "Nothing has been recorded as confirmed."
    lines = [
        f"- {item(fact.text)}{' *(internal)*' if fact.internal else ''}" for fact in bundle.facts[-_FACTS:]
    ]
    earlier = len(bundle.facts) - len(lines)
    return "\n".join(lines + ([f"- *({earlier} earlier facts left out)*"] if earlier else []))


def _tried(bundle: Bundle) -> str:
    every = sorted(
        (*bundle.attempts, *((bundle.subject,) if bundle.subject else ())), key=lambda each: each.suggested_at
    )
    applied = [each for each in every if each.was_applied]
    ideas = [each for each in every if not each.was_applied]
    paragraphs = (
        ["\n".join(_ledger_entry(number, each) for number, each in enumerate(applied, 1))]
        if applied
        else ["No fix has been applied."]
    )
    if ideas:
        listed = "\n".join(f"- {phrases.fate(each)}" for each in ideas)
        paragraphs += ["Suggested only:", listed]
    return "\n\n".join(paragraphs + _last_said(bundle))


def _ledger_entry(number: int, fix: Attempt) -> str:
    lines = [f"{number}. {phrases.fate(fix)}"]
    lines += [f"   - {each}" for each in (phrases.times(fix), *phrases.earlier(fix, names=True)) if each]
    return "\n".join(lines)


def _last_said(bundle: Bundle) -> list[str]:
    people = [each for each in bundle.conversation.utterances if each.role is not MessageRole.ASSISTANT]
    if not people:
        return []
    lines = ["Last said in the conversation:"]
    for each in people[-_LAST_MESSAGES:]:
        # The author of a client's message is whoever pasted it in: naming them would misattribute the words.
        by = _by(each.name) if each.role is not MessageRole.CLIENT else ""
        said = quote(each.text, lines=_MESSAGE_LINES, characters=_MESSAGE_CHARACTERS)
        lines.append(f"{_SPEAKER[each.role]}{by}, {phrases.moment(each.at)}:\n\n{said}")
    return lines


def _hypothesis(bundle: Bundle) -> str:
    fix = bundle.subject
    if fix is None:
        return "None yet: no fix has been suggested."
    lead = _LEAD[fix.standing].format(fix=phrases.named(fix))
    first = f"{lead}: {phrases.words(fix.recorded)}" if fix.recorded else sentence(lead)
    idea = f"The idea behind it: {phrases.detail(fix)}"
    return "\n\n".join([first, idea, *_CAUTION.get(fix.standing, ())])


_LEAD: Final[Mapping[Standing, str]] = {
    Standing.PENDING: "Leading hypothesis: {fix} is the right fix. It is applied in full and awaiting verification",
    Standing.PARTIAL: "Leading hypothesis: {fix} is the right fix. Only part of it has been applied",
    Standing.UNJUDGED: "Leading hypothesis: {fix} is the right fix. It is applied, and no result has been recorded",
    Standing.PROPOSED: "Open hypothesis: {fix}. It has been suggested and not been applied",
    Standing.SUCCESS: "Confirmed. {fix} worked",
    Standing.FAILED: "No hypothesis stands at the moment. {fix} was tried and did not work",
    Standing.DISMISSED: "No hypothesis stands at the moment. {fix} was considered and dismissed",
}
_CAUTION: Final[Mapping[Standing, tuple[str, ...]]] = {
    Standing.PENDING: ("Until it has been verified, treat it as likely, not as known.",),
    Standing.PARTIAL: ("Until the rest is in place and checked, treat it as likely, not as known.",),
    Standing.UNJUDGED: ("Until a result is recorded, treat it as likely, not as known.",),
    Standing.FAILED: ("Either the idea is wrong, or it was not the only cause.",),
}


def _by(name: str | None) -> str:
    return f", {inline(name)}" if name else ""
