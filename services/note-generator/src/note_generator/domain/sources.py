"""What a sentence may rest on: every piece of the record, under a short name that a model can repeat."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from shared.contracts.vocabulary import MessageRole

from note_generator.domain import phrases
from note_generator.domain.bundle import Attempt, Bundle
from note_generator.domain.plain import one_line

_ESCAPED: Final = re.compile(r"\\(?=[\\`*_{}\[\]()#+\-.!|>~=])")
_QUOTES: Final = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"'})
_CUT: Final = re.compile(r"(?:…|\.\.\.)$")


class SourceKind(StrEnum):
    """What kind of thing a source is."""

    RECORD = "record"
    INTAKE = "intake"
    TITLE = "title"
    FACT = "fact"
    MESSAGE = "message"
    HISTORY = "history"
    FIX = "fix"


@dataclass(frozen=True, slots=True)
class Source:
    """A piece of the record. `id` is what the API calls it; `guessed`: a program said so, no person."""

    name: str
    kind: SourceKind
    id: str
    text: str
    guessed: bool = False

    def has(self, quote: str) -> bool:
        """Whether these words stand in it, one after the other."""
        words = plainly(quote).casefold()
        return bool(words) and words in plainly(self.text).casefold()


# A text that is still being written is checked again with every sentence.
@lru_cache(maxsize=2_048)
def plainly(text: str) -> str:
    """On one line, without what markdown added, so that words can be compared."""
    return _CUT.sub("", _ESCAPED.sub("", one_line(text).replace("&lt;", "<")).translate(_QUOTES)).strip()


@lru_cache(maxsize=16)
def sources(bundle: Bundle) -> Mapping[str, Source]:
    """Every source by its name."""
    return {source.name: source for source in _every(bundle)}


def _every(bundle: Bundle) -> Iterator[Source]:
    yield Source("R", SourceKind.RECORD, str(bundle.session_id), "\n".join(record_lines(bundle)))
    yield Source("I", SourceKind.INTAKE, str(bundle.session_id), bundle.intake)
    if bundle.title:
        yield Source("T", SourceKind.TITLE, str(bundle.session_id), bundle.title)
    for number, fact in enumerate(bundle.facts, 1):
        yield Source(f"F{number}", SourceKind.FACT, str(fact.id), fact.text)
    for number, said in enumerate(bundle.conversation.utterances, 1):
        guessed = said.role is MessageRole.ASSISTANT
        yield Source(f"M{number}", SourceKind.MESSAGE, str(said.id), said.text, guessed=guessed)
    for name, fix in fixes(bundle):
        yield Source(name, SourceKind.FIX, str(fix.id), _words_of(fix))
        for step in fix.steps:
            words = f"{phrases.moment(step.at)} {step.outcome}\n{step.notes or ''}"
            yield Source(f"H{step.sequence}", SourceKind.HISTORY, str(step.sequence), words)


def fixes(bundle: Bundle) -> Iterator[tuple[str, Attempt]]:
    """Every fix by its name; X0 is the one that the document is about."""
    if bundle.subject:
        yield "X0", bundle.subject
    for number, attempt in enumerate(bundle.attempts, 1):
        yield f"X{number}", attempt


def record_lines(bundle: Bundle) -> Iterator[str]:
    """How the case stands, in the words of the record."""
    yield f"Case status: {bundle.status}"
    yield bundle.outcome_status
    if not bundle.facts:
        yield "Confirmed facts: none"


def _words_of(fix: Attempt) -> str:
    applied = f"Applied: {phrases.moment(fix.applied_at)}" if fix.applied_at else "Applied: no time recorded"
    verified = f"Verified: {phrases.moment(fix.verified_at)}" if fix.verified_at else "Verified: not verified"
    words = (fix.title, fix.description, fix.recorded or "", *fix.earlier_words)
    return "\n".join((*words, f"Status: {fix.standing}", applied, verified))
