"""The bundle as a model reads it. Every line that a person wrote begins with `| `: data, whatever it says."""

import re
from collections.abc import Iterator
from typing import Final

from note_generator.domain import phrases
from note_generator.domain.bundle import Attempt, Bundle
from note_generator.domain.plain import inline
from note_generator.domain.sources import fixes, record_lines

_LINE_ENDS: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_INTAKE_CHARACTERS: Final = 6_000


def brief(bundle: Bundle) -> str:
    """The whole record, as text."""
    return "\n".join(_lines(bundle)) + "\n"


def _lines(bundle: Bundle) -> Iterator[str]:
    yield "R, the state of the record:"
    yield from record_lines(bundle)
    if bundle.title:
        yield "T, title:"
        yield from _data(bundle.title)
    yield "I, intake as reported:"
    yield from _data(bundle.intake[:_INTAKE_CHARACTERS])
    if bundle.facts:
        yield "Confirmed facts:"
    for number, fact in enumerate(bundle.facts, 1):
        yield f"F{number}{', internal' if fact.internal else ''}:"
        yield from _data(fact.text)
    yield from _conversation(bundle)
    if not bundle.subject:
        yield "The fix that this document is about: none"
    for name, fix in fixes(bundle):
        yield f"{name}, {'the fix that this document is about' if name == 'X0' else 'another fix'}:"
        yield from _fix(fix)


def _conversation(bundle: Bundle) -> Iterator[str]:
    said = bundle.conversation
    yield "Conversation, oldest first:" if said.utterances else "Conversation: none"
    if said.left_out:
        yield f"({said.left_out} older messages left out)"
    for number, each in enumerate(said.utterances, 1):
        yield f"M{number}, {each.role}, {phrases.moment(each.at)}{', shortened' if each.condensed else ''}:"
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
        yield f"H{step.sequence}, history: {phrases.moment(step.at)} {step.outcome}"
        if step.notes:
            yield f"| {inline(step.notes)}"


def _data(text: str) -> Iterator[str]:
    for line in _LINE_ENDS.split(text):
        cleaned = inline(line)
        if cleaned:
            yield f"| {cleaned}"
