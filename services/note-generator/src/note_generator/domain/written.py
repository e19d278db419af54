"""A document as a model hands it in: sentences, and under each what it rests on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from note_generator.domain.bundle import Bundle
from note_generator.domain.resolution_note import NOT_ESTABLISHED, ROOT_CAUSES
from note_generator.domain.sources import SourceKind, sources
from note_generator.domain.wording import NOT_ISOLATED, ROOT_CAUSE, sentences_of

_LISTS: Final = frozenset(
    {"## What we confirmed", "## What we've confirmed", "## What we've tried", "## Suggested next steps"}
)


_UNESTABLISHED: Final = re.compile(
    r"""\bnot\s+(?:yet\s+|been\s+|be\s+|definitively\s+|fully\s+|conclusively\s+){0,3}
    (?:established|isolated|known|found|confirmed|identified|determined|clear|recorded|certain)\b
    |\b(?:unknown|unclear|undetermined)\b|\bno\ (?!other)(?:\w+\ ){0,2}cause\ (?:was|is|has|could)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_TURN: Final = re.compile(r"\b(?:but|however|although|nevertheless|still)\b", re.IGNORECASE)


_LETTERS: Final = re.compile(r"[^\W\d_]")
_TEMPLATES: Final = frozenset({*ROOT_CAUSES.values(), NOT_ESTABLISHED, NOT_ISOLATED})
"""What the template says about a cause claims none, whatever its words."""


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

    @property
    def length(self) -> int:
        """How many sentences there are."""
        return sum(len(each.sentences) for each in self.sections)

    def under(self, heading: str) -> tuple[Sentence, ...]:
        """The sentences below a heading."""
        return tuple(
            sentence for each in self.sections if each.heading == heading for sentence in each.sentences
        )


def names_no_cause(text: str) -> bool:
    """Whether every part of it leaves the cause open."""
    if text in _TEMPLATES:
        return True
    parts = [part for sentence in sentences_of(text) for part in _TURN.split(sentence)]
    return all(_UNESTABLISHED.search(part) for part in parts if _LETTERS.search(part))


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
    if names_no_cause(sentence.text):
        return True
    known = sources(bundle)
    named = [known.get(each.source) for each in sentence.support]
    return any(each is None or not (each.guessed or each.kind is SourceKind.RECORD) for each in named)


def _rendered(section: Section) -> str:
    texts: Sequence[str] = [sentence.text for sentence in section.sentences]
    if section.heading in _LISTS:
        return "\n".join(f"- {text}" for text in texts)
    return "\n\n".join(texts)
