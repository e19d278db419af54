"""What a document must say and must not, by what was recorded. Whoever wrote it: an LLM is held to this too."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shared.contracts.vocabulary import NoteKind

from note_generator.domain.bundle import Bundle, Standing
from note_generator.domain.plain import inline

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

MAX_CHARACTERS: Final = 60_000
_SHORTEST_QUOTATION: Final = 16

_CLOSURE: Final = re.compile(
    r"\b(?:resolved|fixed|solved|closed|cured|remedied)\b|\bworks\b(?! out)|\bworked\b"
    r"|\bworking\s+(?:again|now|as|fine|normal)|\bsuccess(?:ful(?:ly)?)?\b|\bback (?:to normal|up|online)\b"
    r"|\bno (?:further|more|additional) (?:action|work|step)"
    r"|\b(?:confirmed|verified|proven)\b|\b(?:behoben|gelöst|erledigt|abgeschlossen|funktioniert)\b",
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
_SENTENCE: Final = re.compile(r"(?<=[.!?:;])\s+|\n+")
_HTML: Final = re.compile(r"<[A-Za-z/!?]")
_DISGUISED_LINK: Final = re.compile(r"\][(\[]|^[ >]{0,4}\[[^\]\n]+\]:\s", re.MULTILINE)
_HEADING: Final = re.compile(r"^[ ]{0,3}(?:#{1,6}(?:\s|$)|(?:=+|-{2,})\s*$)", re.MULTILINE)


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


def violations(markdown: str, bundle: Bundle) -> tuple[str, ...]:
    """What is wrong with a document; nothing, if it may be shown."""
    return tuple(_shape(markdown, bundle) or _content(markdown, bundle))


def sections_of(markdown: str) -> Mapping[str, str]:
    """The text below each level-2 heading."""
    parts = re.split(r"^(## .+?)[ \t]*$", markdown, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))


def _shape(markdown: str, bundle: Bundle) -> list[str]:
    wanted = HEADINGS[bundle.kind]
    found = tuple(
        match.rstrip() for match in re.findall(r"^[ ]{0,3}#{1,6}(?:[ \t].*)?$", markdown, re.MULTILINE)
    )
    if found != wanted or len(_HEADING.findall(markdown)) != len(wanted):
        return ["headings: not exactly those of this document"]
    if not markdown.startswith(wanted[0]):
        return ["headings: text before the first"]
    empty = [heading for heading, text in sections_of(markdown).items() if not text]
    found_wrong = [f"empty section: {heading}" for heading in empty]
    if len(markdown) > MAX_CHARACTERS:
        found_wrong.append("too long")
    if _HTML.search(markdown):
        found_wrong.append("HTML")
    if _DISGUISED_LINK.search(markdown):
        found_wrong.append("a link behind other words")
    return found_wrong


def _content(markdown: str, bundle: Bundle) -> Iterator[str]:
    subject, rule = bundle.subject, _RULES[bundle.standing]
    recorded = inline(subject.recorded) if subject and subject.recorded else None
    if recorded and not any(recorded in line for line in markdown.splitlines()):
        yield "recorded words missing"
    deciding = _deciding(markdown, bundle.kind)
    if not rule.must.search(deciding):
        yield f"does not say the outcome: {bundle.standing}"
    # What people wrote is quoted as it is; only the writer's own claims about this fix are judged.
    own = _without_peoples_words(deciding, bundle)
    if rule.no_closure and not _solved_otherwise(bundle) and _claims(own, _CLOSURE):
        yield f"claims a closure: {bundle.standing}"
    if rule.no_application and not (subject and subject.was_applied) and _claims(own, _APPLICATION):
        yield f"claims an application: {bundle.standing}"


def _deciding(markdown: str, kind: NoteKind) -> str:
    """The sections that say what came of the fix."""
    sections = sections_of(markdown)
    if kind is NoteKind.RESOLUTION_NOTE:
        return f"{sections['## Root cause']}\n{sections['## Resolution']}"
    return sections["## Current hypothesis"]


def _claims(text: str, claim: re.Pattern[str]) -> bool:
    return any(_is_claimed(sentence, claim) for sentence in _SENTENCE.split(text) if sentence)


def _is_claimed(sentence: str, claim: re.Pattern[str]) -> bool:
    """Said without a hedge; the `no` of "no further action" is none."""
    match = claim.search(sentence)
    return match is not None and not _HEDGE.search(sentence[: match.start()] + sentence[match.end() :])


def _without_peoples_words(text: str, bundle: Bundle) -> str:
    others = [inline(attempt.title) for attempt in bundle.attempts if _is_quotable(attempt.title)]
    text = "\n".join(
        line
        for line in text.splitlines()
        if not line.startswith(">") and not any(title in line for title in others)
    )
    spoken: list[str] = []
    for attempt in (bundle.subject, *bundle.attempts):
        if attempt is not None:
            spoken += [attempt.title, attempt.description, attempt.recorded or "", *attempt.earlier_words]
    for words in sorted({inline(each) for each in spoken if _is_quotable(each)}, key=len, reverse=True):
        text = text.replace(words, "…")
    return text


def _solved_otherwise(bundle: Bundle) -> bool:
    """Whether another fix worked, and this one is not what is being waited for."""
    settled = bundle.standing in {Standing.FAILED, Standing.DISMISSED}
    return settled and any(attempt.standing is Standing.SUCCESS for attempt in bundle.attempts)


def _is_quotable(words: str) -> bool:
    """A word or two prove no quotation: else a fix called "Resolved" would excuse every claim."""
    return len(words) >= _SHORTEST_QUOTATION and " " in words.strip()
