"""What a sentence names as its evidence has to be there, and what is put between quotation marks too."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from note_generator.domain.bundle import Bundle
from note_generator.domain.checks.violation import Check, Violation
from note_generator.domain.sources import Source, SourceKind, plainly, sources
from note_generator.domain.wording import NOT_ISOLATED, RESOLUTION, ROOT_CAUSE, lines_of
from note_generator.domain.written import Sentence, Writing, names_no_cause

SUPPORTED: Final = frozenset({"## What we confirmed", "## What we've confirmed", ROOT_CAUSE, RESOLUTION})
"""Every sentence below these names what it rests on."""

_QUOTATION: Final = re.compile(r"“([^“”]{12,})”|\"([^\"]{12,})\"")
_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_PEOPLES: Final = frozenset(SourceKind) - {SourceKind.RECORD}


def check_evidence(writing: Writing, bundle: Bundle) -> Iterator[Violation]:
    """Of a document that comes with its evidence: names that do not exist, quotes that do not stand there."""
    known = sources(bundle)
    for section in writing.sections:
        for sentence in section.sentences:
            yield from check_sentence(sentence, known)
            if section.heading in SUPPORTED and not sentence.support and sentence.text != NOT_ISOLATED:
                yield _wrong("no evidence", f"a sentence of {section.heading[3:]} names none", sentence.text)


def check_sentence(sentence: Sentence, known: Mapping[str, Source]) -> Iterator[Violation]:
    """The evidence of one sentence."""
    for support in sentence.support:
        source = known.get(support.source)
        if source is None:
            yield _wrong("unknown evidence", f"there is no {support.source} in the record", sentence.text)
        elif not source.has(support.quote):
            yield _wrong("quote not found", f"these words do not stand in {support.source}", sentence.text)


def check_text(markdown: str, bundle: Bundle) -> Iterator[Violation]:
    """Of a document without evidence: quotations, and a root cause that shares nothing with what people recorded."""
    texts = [plainly(source.text).casefold() for source in sources(bundle).values()]
    for heading, line in lines_of(markdown):
        for match in _QUOTATION.finditer(line):
            quoted = plainly(match[1] or match[2]).rstrip(".,;:!?…").casefold()
            if quoted and not any(quoted in text for text in texts):
                yield _wrong("quote not found", "these words do not stand in the record", line.strip())
        if heading == ROOT_CAUSE and _is_unfounded(line, bundle):
            yield _wrong("unsupported root cause", "nothing in the record says so", line.strip())


def _is_unfounded(line: str, bundle: Bundle) -> bool:
    """Whether a cause is named that no person's words speak of: fewer than half of its words are theirs."""
    if names_no_cause(line.strip()):
        return False
    said = [source for source in sources(bundle).values() if source.kind in _PEOPLES and not source.guessed]
    theirs = {word.casefold()[:6] for source in said for word in _WORD.findall(source.text)}
    words = {word.casefold()[:6] for word in _WORD.findall(line)}
    return bool(words) and 2 * len(words & theirs) < len(words)


def _wrong(rule: str, detail: str, sentence: str) -> Violation:
    return Violation(Check.SUPPORT, rule, detail, sentence)
