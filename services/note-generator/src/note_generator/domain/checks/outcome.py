"""What a document must say and must not, by what was recorded. Whoever wrote it: an LLM is held to this too."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shared.contracts.vocabulary import NoteKind, SessionStatus

from note_generator.domain.bundle import Bundle, Standing
from note_generator.domain.checks import closure
from note_generator.domain.checks.violation import Check, Violation
from note_generator.domain.checks.words import own_words
from note_generator.domain.plain import inline
from note_generator.domain.sources import sources
from note_generator.domain.wording import (
    HYPOTHESIS,
    RESOLUTION,
    ROOT_CAUSE,
    TRIED,
    lines_of,
    sections_of,
    sentences_of,
)

_APPLICATION: Final = re.compile(
    r"\b(?:applied|implemented|deployed|installed|rolled out|carried out|completed|angewendet|umgesetzt|eingespielt)\b",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_NEXT: Final = re.compile(
    r"\b(?:next|further|follow\w*|remain\w*|continu\w*|will|plan\w*|rest|missing|closed|handed over)\b",
    re.IGNORECASE,
)

_TELLING: Final = frozenset({RESOLUTION, TRIED, HYPOTHESIS})
"""Sections that tell what came of the fix."""
_NEEDS_NEXT: Final = frozenset({Standing.FAILED, Standing.PARTIAL})


@dataclass(frozen=True, slots=True)
class _Rule:
    """`must`: words of which one has to stand in the deciding section. The rest: claims that would be untrue."""

    must: re.Pattern[str]
    no_closure: bool = True
    no_application: bool = False


def _must(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


_RULES: Final[Mapping[Standing | None, _Rule]] = {
    Standing.PENDING: _Rule(
        _must(
            r"\bawait\w* verification|pending verification|verification (?:is )?pending|not (?:yet )?(?:been )?verified"
        )
    ),
    Standing.PARTIAL: _Rule(_must(r"part(?:ly|ial\w*)\b|part of")),
    Standing.UNJUDGED: _Rule(_must(r"\bapplied\b")),
    Standing.FAILED: _Rule(
        _must(
            r"(?:did|does|has) ?n.t work|did not (?:work|help|solve|fix|resolve)|not resolve"
            r"|failed|unsuccessful|without success"
        )
    ),
    Standing.DISMISSED: _Rule(
        _must(r"not (?:been )?applied|dismissed|decided against|set aside|rejected|not (?:being )?pursued"),
        no_application=True,
    ),
    Standing.PROPOSED: _Rule(
        _must(r"not (?:yet )?(?:been )?applied|suggested|proposed"), no_application=True
    ),
    Standing.SUCCESS: _Rule(_must(r"\S"), no_closure=False),
    None: _Rule(_must(r"\S"), no_application=True),
}


def check(markdown: str, bundle: Bundle) -> Iterator[Violation]:
    """Where it says what was not recorded, or leaves out what was: also of a text that has only begun to tell it."""
    if not _TELLING.isdisjoint(sections_of(markdown)):
        yield from _unsaid(markdown, bundle)
    rule, subject = _RULES[bundle.standing], bundle.subject
    if rule.no_closure:
        yield from _closures(markdown, bundle)
    if rule.no_application and not (subject and subject.was_applied):
        yield from _applications(markdown, bundle)


def _unsaid(markdown: str, bundle: Bundle) -> Iterator[Violation]:
    subject = bundle.subject
    recorded = inline(subject.recorded) if subject and subject.recorded else None
    if recorded and not any(recorded in line for line in markdown.splitlines()):
        yield _wrong("recorded words missing", "they are repeated on one line, word for word")
    deciding = _deciding(markdown, bundle.kind)
    if not _RULES[bundle.standing].must.search(deciding):
        yield _wrong("does not say the outcome", str(bundle.standing))
    note = bundle.kind is NoteKind.RESOLUTION_NOTE
    if note and bundle.standing in _NEEDS_NEXT and not _NEXT.search(deciding):
        yield _wrong("does not say what is next", str(bundle.standing))


def _deciding(markdown: str, kind: NoteKind) -> str:
    """The sections that say what came of the fix."""
    sections = sections_of(markdown)
    if kind is NoteKind.RESOLUTION_NOTE:
        return f"{sections[ROOT_CAUSE]}\n{sections[RESOLUTION]}"
    return sections.get(HYPOTHESIS, "")


def _decides(heading: str) -> bool:
    return heading in {ROOT_CAUSE, RESOLUTION, HYPOTHESIS}


def _closures(markdown: str, bundle: Bundle) -> Iterator[Violation]:
    """Where another fix worked, only a claim about this one would be untrue."""
    if _solved_otherwise(bundle):
        return
    known = _known_words(bundle)
    for heading, line, sentence in _own_sentences(markdown, bundle):
        works = closure.DECIDING if _decides(heading) else closure.ANYWHERE
        if closure.is_claimed(sentence, works) or closure.is_claimed(sentence, closure.GONE):
            yield _wrong("claims a closure", str(bundle.standing), line)
        elif closure.is_foreign(sentence, known):
            yield _wrong("not in English", "it cannot be held against the record", line)


def _applications(markdown: str, bundle: Bundle) -> Iterator[Violation]:
    for heading, line, sentence in _own_sentences(markdown, bundle):
        if _decides(heading) and closure.is_claimed(sentence, _APPLICATION):
            yield _wrong("claims an application", str(bundle.standing), line)


def _own_sentences(markdown: str, bundle: Bundle) -> Iterator[tuple[str, str, str]]:
    """What the writer says in words of its own: under which heading, in which line."""
    for heading, line in lines_of(markdown):
        if not _is_case_status(line, bundle):
            own = own_words(line, bundle, strictly=_decides(heading))
            yield from ((heading, line.strip(), sentence) for sentence in sentences_of(closure.as_read(own)))


@lru_cache(maxsize=16)
def _known_words(bundle: Bundle) -> frozenset[str]:
    texts = [source.text for source in sources(bundle).values()]
    people = [bundle.opened_by or "", *(said.name or "" for said in bundle.conversation.utterances)]
    return frozenset(
        word.casefold() for text in (*texts, *people) for word in _WORD.findall(closure.as_read(text))
    )


def _is_case_status(line: str, bundle: Bundle) -> bool:
    """That the case was closed is recorded, and no word about the fix."""
    return bundle.status is SessionStatus.RESOLVED and line.strip() in {
        "- Case: closed as resolved",
        "- Nothing is open; no fix was recorded.",
        "The case is closed.",
        "The case was closed without a recorded solution.",
        "The case was closed while this was still outstanding.",
    }


def _solved_otherwise(bundle: Bundle) -> bool:
    """Whether another fix worked, and this one is not what is being waited for."""
    settled = bundle.standing in {Standing.FAILED, Standing.DISMISSED}
    return settled and any(attempt.standing is Standing.SUCCESS for attempt in bundle.attempts)


def _wrong(rule: str, detail: str, sentence: str = "") -> Violation:
    return Violation(Check.OUTCOME, rule, detail, sentence)
