"""A document as a model hands it in: sentences, and under each what it rests on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from note_generator.domain.bundle import Bundle
from note_generator.domain.sources import SourceKind, sources
from note_generator.domain.wording import NOT_ISOLATED, ROOT_CAUSE

_LISTS: Final = frozenset(
    {"## What we confirmed", "## What we've confirmed", "## What we've tried", "## Suggested next steps"}
)


UNESTABLISHED: Final = re.compile(
    r"\b(?:not|no|none|nothing|never|unknown|unclear|yet)\b|\bcause lies in what that change corrected",
    re.IGNORECASE,
)
"""Words of a sentence that names no cause."""


@dataclass(frozen=True, slots=True)
class Support:
    """The words of a source that a sentence rests on."""

    source: str
    quote: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, on one line."""

    text: str
    support: tuple[Support, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its `## `, and the sentences below it."""

    heading: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """A whole document, not rendered yet."""

    sections: tuple[Section, ...]

    @property
    def markdown(self) -> str:
        """As people read it."""
        return "\n\n".join(f"{each.heading}\n\n{_rendered(each)}" for each in self.sections) + "\n"

    def under(self, heading: str) -> tuple[Sentence, ...]:
        """The sentences below a heading."""
        return tuple(
            sentence for each in self.sections if each.heading == heading for sentence in each.sentences
        )


def isolated(writing: Writing, bundle: Bundle) -> Writing:
    """The same, but that a root cause which rests on no person's word is called not isolated."""
    cause = writing.under(ROOT_CAUSE)
    if not cause or all(_rests_on_people(sentence, bundle) for sentence in cause):
        return writing
    instead = (Sentence(NOT_ISOLATED),)
    return Writing(
        tuple(
            replace(each, sentences=instead) if each.heading == ROOT_CAUSE else each
            for each in writing.sections
        )
    )


def _rests_on_people(sentence: Sentence, bundle: Bundle) -> bool:
    """Whether somebody said so, or nothing is claimed. Evidence that does not exist is found by the checks."""
    if UNESTABLISHED.search(sentence.text):
        return True
    known = sources(bundle)
    named = [known.get(each.source) for each in sentence.support]
    return any(each is None or not (each.guessed or each.kind is SourceKind.RECORD) for each in named)


def _rendered(section: Section) -> str:
    texts: Sequence[str] = [sentence.text for sentence in section.sentences]
    if section.heading in _LISTS:
        return "\n".join(f"- {text}" for text in texts)
    return "\n\n".join(texts)
