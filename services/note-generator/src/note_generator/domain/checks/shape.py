"""Exactly the sections of this document, of a length to be read, with no markup and no link of its own."""

import re
from collections.abc import Iterator
from typing import Final

from note_generator.domain.bundle import Bundle
from note_generator.domain.checks.violation import Check, Violation
from note_generator.domain.sources import plainly, sources
from note_generator.domain.wording import HEADINGS, sections_of

MAX_CHARACTERS: Final = 60_000

_HTML: Final = re.compile(r"<[A-Za-z/!?]")
_DISGUISED_LINK: Final = re.compile(r"\][(\[]|^[ >]{0,4}\[[^\]\n]+\]:\s", re.MULTILINE)
_LINK: Final = re.compile(r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.|\bmailto:)[^\s<>\"')\]]+", re.IGNORECASE)
_HEADING: Final = re.compile(r"^[ ]{0,3}(?:#{1,6}(?:\s|$)|(?:=+|-{2,})\s*$)", re.MULTILINE)
_FENCE: Final = re.compile(r"^[ >]{0,4}(?:```|~~~)", re.MULTILINE)
_MARKUP: Final = (
    ("HTML", "markup that a browser would run or show", _HTML),
    ("disguised link", "a link behind other words", _DISGUISED_LINK),
    ("code fence", "a block of code", _FENCE),
)


def check(markdown: str, bundle: Bundle, *, whole: bool = True) -> Iterator[Violation]:
    """What is wrong with how it is built."""
    found = tuple(
        match.rstrip() for match in re.findall(r"^[ ]{0,3}#{1,6}(?:[ \t].*)?$", markdown, re.MULTILINE)
    )
    wanted = HEADINGS[bundle.kind][: None if whole else max(len(found), 1)]
    if found != wanted or len(_HEADING.findall(markdown)) != len(wanted):
        yield _wrong("headings", f"not exactly {', '.join(wanted)}")
        return
    if not markdown.startswith(wanted[0]):
        yield _wrong("headings", "text before the first", markdown.splitlines()[0])
    for heading, text in sections_of(markdown).items():
        if not text:
            yield _wrong("empty section", heading)
    if len(markdown) > MAX_CHARACTERS:
        yield _wrong("too long", f"more than {MAX_CHARACTERS} characters")
    yield from _markup(markdown)
    yield from _links(markdown, bundle)


def is_shaped(markdown: str, bundle: Bundle, *, whole: bool = True) -> bool:
    """Whether it can be taken apart by its headings."""
    found = tuple(sections_of(markdown))
    return found == HEADINGS[bundle.kind][: None if whole else len(found)]


def _markup(markdown: str) -> Iterator[Violation]:
    for line in markdown.splitlines():
        for rule, detail, pattern in _MARKUP:
            if pattern.search(line):
                yield _wrong(rule, detail, line)


def _links(markdown: str, bundle: Bundle) -> Iterator[Violation]:
    """Unlike other words, an address is followed with one click: it has to be one that was given."""
    given = "\n".join([*(plainly(each.text) for each in sources(bundle).values()), bundle.ticket_url or ""])
    for line in markdown.splitlines():
        for link in _LINK.findall(plainly(line)):
            if link.rstrip(".,;:!?*…") not in given:
                yield _wrong("link", f"{link} is not in the record", line)


def _wrong(rule: str, detail: str, sentence: str = "") -> Violation:
    return Violation(Check.SHAPE, rule, detail, sentence.strip())
