"""The headings of the two documents, and a document taken apart by them."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from shared.contracts.vocabulary import NoteKind

HEADINGS: Final[Mapping[NoteKind, tuple[str, ...]]] = {
    NoteKind.RESOLUTION_NOTE: ("## Problem", "## What we confirmed", "## Root cause", "## Resolution"),
    NoteKind.ESCALATION_PACKAGE: (
        "## Problem",
        "## What we've confirmed",
        "## What we've tried",
        "## Current hypothesis",
        "## Suggested next steps",
    ),
}

ROOT_CAUSE: Final = "## Root cause"
RESOLUTION: Final = "## Resolution"
TRIED: Final = "## What we've tried"
HYPOTHESIS: Final = "## Current hypothesis"
NOT_ISOLATED: Final = "The root cause was not definitively isolated."

_SECTION: Final = re.compile(r"^(## (?:.*[^ \t\n]|.))[ \t]*$", re.MULTILINE)
_SENTENCE: Final = re.compile(r"(?<=[.!?:;])\s+")


class Line(NamedTuple):
    """One line of a document, and the heading that it stands under."""

    heading: str
    text: str


def sections_of(markdown: str) -> Mapping[str, str]:
    """The text below each level-2 heading."""
    parts = _SECTION.split(markdown)
    return dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))


def lines_of(markdown: str) -> Iterator[Line]:
    """Every line with words, without the headings."""
    for heading, text in sections_of(markdown).items():
        for line in text.splitlines():
            if line.strip():
                yield Line(heading, line)


def sentences_of(line: str) -> list[str]:
    """A line in its sentences."""
    return [sentence for sentence in _SENTENCE.split(line) if sentence.strip()]
