"""What a document must say and must not, by what was recorded. Whoever wrote it: an LLM is held to this too."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shared.contracts.vocabulary import NoteKind, SessionStatus

from note_generator.domain.bundle import Bundle, Standing
from note_generator.domain.checks.violation import Check, Violation
from note_generator.domain.checks.words import own_words
from note_generator.domain.plain import inline
from note_generator.domain.wording import (
    HYPOTHESIS,
    RESOLUTION,
    ROOT_CAUSE,
    lines_of,
    sections_of,
    sentences_of,
)

_CLOSURE: Final = re.compile(
    r"\b(?:resolved|fixed|solved|closed|cured|remedied)\b|\bworks\b(?! out)|\bworked\b"
    r"|\bworking\s+(?:again|now|as|fine|normal)|\bsuccess(?:ful(?:ly)?)?\b|\bback (?:to normal|up|online)\b"
    r"|\bno (?:further|more|additional) (?:action|work|step)"
    r"|\b(?:confirmed|verified|proven)\b|\b(?:behoben|gelöst|erledigt|abgeschlossen|funktioniert)\b"
    r"|\b(?:résolue?|resuelto|solucionad[oa]|opgelost|risolto)\b",
    re.IGNORECASE,
)
_SOLVED: Final = re.compile(
    r"\b(?:problem|issue|incident|outage|fault|case|ticket|everything|all|it|this|that|fix|change|connection|"
    r"internet|service|system|network|update)\b[^.!?]{0,40}?\b(?:is|are|was|were|been|got|now|fully)\b[^.!?]{0,20}?"
    r"\b(?:resolved|fixed|solved|cured|remedied|closed|working again|back to normal|restored|successful)\b"
    r"|\b(?:fix|change|update|it|this|that)\b[^.!?]{0,20}?\bworked\b"
    r"|\bno (?:further|more|additional) (?:action|work|step)"
    r"|\bproblem\b[^.!?]{0,20}\b(?:behoben|gelöst|erledigt)\b|\b(?:résolue?|resuelto|solucionad[oa]|opgelost)\b",
    re.IGNORECASE,
)
_APPLICATION: Final = re.compile(
    r"\b(?:applied|implemented|deployed|installed|rolled out|carried out|completed|angewendet|umgesetzt|eingespielt)\b",
    re.IGNORECASE,
)
_HEDGE: Final = re.compile(
    r"\b(?:not|never|no|nor|cannot|without|unless|until|once|if|when|whether|before|after|should|would|will|could|may|might|"
    r"can|must|to be|await\w*|pending|provisional\w*|outstanding|unverified|unconfirmed|likely|possibl[ey]|probabl[ey]|"
    r"partly|partial\w*|remain\w*|needs?|still|ausstehend|nicht|noch|kein\w*|sobald|falls|wenn|ob)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_CLAUSE: Final = re.compile(r";|\s[\u2013\u2014]\s|\bbut\b|\bhowever\b|,\s+(?:and|so|which)\b", re.IGNORECASE)
_NEXT: Final = re.compile(
    r"\b(?:next|further|follow\w*|remain\w*|continu\w*|will|plan\w*|rest|missing|closed|handed over)\b",
    re.IGNORECASE,
)

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
            r"await\w* verification|pending verification|verification (?:is )?pending|not (?:yet )?(?:been )?verified"
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
    """Where it says what was not recorded, or leaves out what was."""
    yield from _unsaid(markdown, bundle)
    rule, subject = _RULES[bundle.standing], bundle.subject
    if rule.no_closure:
        yield from _closures(markdown, bundle)
    if rule.no_application and not (subject and subject.was_applied):
        claims = _claims(markdown, bundle, lambda heading: _APPLICATION if _decides(heading) else None)
        for sentence in claims:
            yield _wrong("claims an application", str(bundle.standing), sentence)


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
    return sections[HYPOTHESIS]


def _decides(heading: str) -> bool:
    return heading in {ROOT_CAUSE, RESOLUTION, HYPOTHESIS}


def _closures(markdown: str, bundle: Bundle) -> Iterator[Violation]:
    for sentence in _claims(markdown, bundle, _closing(bundle)):
        yield _wrong("claims a closure", str(bundle.standing), sentence)


def _closing(bundle: Bundle) -> Callable[[str], re.Pattern[str] | None]:
    """The words that would close it. Where another fix worked, only a claim about this one would be untrue."""
    solved = _solved_otherwise(bundle)

    def pattern(heading: str) -> re.Pattern[str] | None:
        if solved:
            return None
        return _CLOSURE if _decides(heading) else _SOLVED

    return pattern


def _claims(
    markdown: str, bundle: Bundle, pattern_for: Callable[[str], re.Pattern[str] | None]
) -> Iterator[str]:
    """The sentences that claim it in the writer's own words, without a hedge."""
    for heading, line in lines_of(markdown):
        pattern = pattern_for(heading)
        if pattern is None or _is_case_status(line, bundle):
            continue
        for sentence in sentences_of(own_words(line, bundle, strictly=_decides(heading))):
            if any(_is_claimed(clause, pattern) for clause in _CLAUSE.split(sentence)):
                yield line.strip()
                break


def _is_claimed(clause: str, claim: re.Pattern[str]) -> bool:
    """Said without a hedge; the `no` of "no further action" is none."""
    match = claim.search(clause)
    return match is not None and not _HEDGE.search(clause[: match.start()] + clause[match.end() :])


def _is_case_status(line: str, bundle: Bundle) -> bool:
    """That the case was closed is recorded, and no word about the fix."""
    return bundle.status is SessionStatus.RESOLVED and line.strip() in {
        "- Case: closed as resolved",
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
