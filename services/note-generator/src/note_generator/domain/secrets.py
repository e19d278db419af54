"""Secrets do not belong in a note: what looks like one is replaced before anything is written or sent.

Found by its shape (a private key, a token) or by the words before it (`password: …`). What was found once in a
session is removed wherever it stands there: people repeat a password without saying again that it is one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from re import Match
from typing import Final, Self

from note_generator.domain.secret_patterns import NOT_SECRETS, PATTERNS, Pattern

_MIN_REPEATED: Final = 6


def _is_secret(value: str, *, separated: bool) -> bool:
    """Whether a word after "password" is one. Without `:` or `=` it has to look the part."""
    word = value.strip("\"'`.!?()[]{}").lower()
    if NOT_SECRETS.fullmatch(word) or word.startswith(("http://", "https://")):
        return False
    return separated or _looks_random(value)


def _looks_random(value: str) -> bool:
    letters = any(c.isalpha() for c in value)
    odd = any(c.isdigit() for c in value) or any(c in "!@#$%^&*+=?~_" for c in value[:-1])
    return letters and odd


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of one session: `removed` takes them out of any text of it."""

    repeated: tuple[tuple[str, str], ...] = ()
    harmless: frozenset[str] = frozenset()

    @classmethod
    def found_in(cls, texts: Iterable[str]) -> Self:
        """Those that may stand elsewhere without the words that give them away; the longest first."""
        found: dict[str, str] = {}
        harmless: set[str] = set()
        for text in texts:
            secrets = list(_secrets_of(text))
            if not secrets:
                harmless.add(text)
            for what, value in secrets:
                bare = value.strip("\"'`").rstrip(".,;:!?)")
                if len(bare) >= _MIN_REPEATED and (_looks_random(bare) or bare.isdigit()):
                    found.setdefault(bare, what)
        repeated = sorted(found.items(), key=lambda item: (-len(item[0]), item[0]))
        return cls(tuple(repeated), frozenset(harmless))

    def removed(self, text: str) -> str:
        """The text with `[password removed]` and the like in the place of each secret."""
        for value, what in self.repeated:
            text = text.replace(value, _placeholder(what))
        return text if text in self.harmless else _without_recognisable(text)


def _placeholder(what: str) -> str:
    return f"[{what} removed]"


def _matches(pattern: Pattern, text: str) -> Iterator[Match[str]]:
    for match in pattern.regex.finditer(text):
        lead = text[match.start() : match.start("secret")].rstrip()
        separated = lead.endswith((":", "=", ">")) or match["secret"][:1] in "\"'`"
        certain = pattern.what in {"code", "PIN"} or not pattern.in_prose
        if "removed]" in match["secret"] or match["secret"].startswith("["):
            continue
        if certain or _is_secret(match["secret"], separated=separated):
            yield match


def _applicable(text: str) -> list[Pattern]:
    """Most texts hint at nothing: asking for words first is what keeps this cheap."""
    lowered = text.lower()
    return [pattern for pattern in PATTERNS if any(hint in lowered for hint in pattern.hints)]


def _secrets_of(text: str) -> Iterator[tuple[str, str]]:
    for pattern in _applicable(text):
        for match in _matches(pattern, text):
            yield pattern.what, match["secret"]


def _without_recognisable(text: str) -> str:
    for pattern in _applicable(text):
        for match in reversed(list(_matches(pattern, text))):
            start, end = match.span("secret")
            text = f"{text[:start]}{_placeholder(pattern.what)}{text[end:]}"
    return text
