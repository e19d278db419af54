"""Which words of a line are the writer's own, and which are those of people in the record."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from note_generator.domain import phrases
from note_generator.domain.bundle import Bundle
from note_generator.domain.plain import inline
from note_generator.domain.sources import Source, SourceKind, plainly, sources

_SHORTEST_QUOTATION: Final = 16
_MARKS: Final = re.compile(r"^(?:[>\s]|[-*+]\s|\d+[.)]\s)+")
_INTERNAL: Final = " *(internal)*"
_LINE_ENDS: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def own_words(line: str, bundle: Bundle, *, strictly: bool) -> str:
    """The line without what is quoted from the record.

    `strictly`: in the sections that decide, only what was recorded about the fixes may be quoted, and not a word
    or two of it; else a fix that is called "Resolved" would excuse every claim.
    """
    if not strictly and _is_somebodys(line, bundle):
        return ""
    for other in bundle.attempts:
        line = line.replace(f"{phrases.named(other)} \u2013 {phrases.verdict(other)}", "…")
    for words in _quotable(bundle):
        line = line.replace(words, "…")
    return line


def _is_somebodys(line: str, bundle: Bundle) -> bool:
    """Whether a person wrote the whole line. What was only said, and not confirmed, has to be marked as a quotation."""
    bare = _MARKS.sub("", line).strip().removesuffix(_INTERNAL)
    known = _lines(bundle, said=line.lstrip().startswith(">"))
    if plainly(bare) in known:
        return True
    cut = plainly(bare)
    return (
        bare.endswith("…") and len(cut) >= _SHORTEST_QUOTATION and any(each.startswith(cut) for each in known)
    )


@lru_cache(maxsize=16)
def _lines(bundle: Bundle, *, said: bool) -> frozenset[str]:
    """Each line that a person wrote, and each text on one line; with `said`, the conversation's too."""
    found: set[str] = set()
    for source in sources(bundle).values():
        if source.kind is not SourceKind.RECORD and (said or not _is_talk(source)):
            found.add(plainly(source.text))
            found.update(plainly(part) for part in _LINE_ENDS.split(source.text))
    return frozenset(found)


def _is_talk(source: Source) -> bool:
    return source.kind in {SourceKind.MESSAGE, SourceKind.INTAKE}


@lru_cache(maxsize=16)
def _quotable(bundle: Bundle) -> tuple[str, ...]:
    """What was recorded about the fixes, as it stands in a document; the longest first."""
    return tuple(sorted({each for each in _spoken(bundle) if _is_quotable(each)}, key=len, reverse=True))


def _spoken(bundle: Bundle) -> Iterator[str]:
    for attempt in (bundle.subject, *bundle.attempts):
        if attempt is not None:
            texts = (attempt.title, attempt.description, attempt.recorded or "", *attempt.earlier_words)
            yield from (inline(text) for text in texts)
            yield phrases.detail(attempt).removesuffix(".")


def _is_quotable(words: str) -> bool:
    """A word or two prove no quotation."""
    return len(words) >= _SHORTEST_QUOTATION and " " in words.strip()
