"""The bundle as a model reads it. Every line that a person wrote begins with `| `: data, whatever it says."""

import re
from collections.abc import Iterator
from typing import Final

from note_generator.domain import phrases
from note_generator.domain.bundle import Attempt, Bundle
from note_generator.domain.plain import inline

_LINE_ENDS: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_INTAKE_CHARACTERS: Final = 6_000


def brief(bundle: Bundle) -> str:
    """The whole record, as text."""
    return "\n".join(_lines(bundle)) + "\n"


def _lines(bundle: Bundle) -> Iterator[str]:
    yield f"Case status: {bundle.status}"
    yield bundle.outcome_status
    if bundle.title:
        yield "Title:"
        yield from _data(bundle.title)
    yield "Intake, as reported:"
    yield from _data(bundle.intake[:_INTAKE_CHARACTERS])
    yield "Confirmed facts:" if bundle.facts else "Confirmed facts: none"
    for fact in bundle.facts:
        yield from _data(f"(internal) {fact.text}" if fact.internal else fact.text)
    yield from _conversation(bundle)
    if bundle.subject:
        yield "The fix that this document is about:"
        yield from _fix(bundle.subject)
    else:
        yield "The fix that this document is about: none"
    yield "Other fixes, oldest first:" if bundle.attempts else "Other fixes: none"
    for number, attempt in enumerate(bundle.attempts, 1):
        yield f"Fix {number}:"
        yield from _fix(attempt)


def _conversation(bundle: Bundle) -> Iterator[str]:
    said = bundle.conversation
    yield "Conversation, oldest first:" if said.utterances else "Conversation: none"
    if said.left_out:
        yield f"({said.left_out} older messages left out)"
    for each in said.utterances:
        yield f"{each.role}, {phrases.moment(each.at)}{', shortened' if each.condensed else ''}:"
        yield from _data(each.text)


def _fix(fix: Attempt) -> Iterator[str]:
    yield f"Status: {fix.standing}"
    yield "Title and description:"
    yield from _data(fix.title)
    yield from _data(fix.description)
    yield f"Applied: {phrases.moment(fix.applied_at) if fix.applied_at else 'no time recorded'}"
    yield f"Verified: {phrases.moment(fix.verified_at) if fix.verified_at else 'not verified'}"
    columns = (
        ("pending_reason", fix.pending_reason),
        ("partial_notes", fix.partial_notes),
        ("failure_reason", fix.failure_reason),
        ("Recorded words, to be repeated exactly", fix.recorded),
    )
    for name, words in columns:
        if words:
            yield f"{name}:"
            yield f"| {inline(words)}"
    for step in fix.steps:
        yield f"History: {phrases.moment(step.at)} {step.outcome}"
        if step.notes:
            yield f"| {inline(step.notes)}"


def _data(text: str) -> Iterator[str]:
    for line in _LINE_ENDS.split(text):
        cleaned = inline(line)
        if cleaned:
            yield f"| {cleaned}"
