"""Secrets do not belong in a note: what looks like one is replaced before anything is written or sent.

Found by its shape (a private key, a token) or by the words before it (`password: …`). What was found once in a
session is removed wherever it stands there: people repeat a password without saying again that it is one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

_SEPARATOR: Final = (
    r"(?:\s{0,3}(?:[:=]|->|=>)\s{0,3}|\s{1,3}(?:is|are|was|ist|lautet|war|to|auf|es)\s{1,3}:?\s?)"
)
_VALUE: Final = r"""(?P<secret>"[^"\r\n]{1,200}"|'[^'\r\n]{1,200}'|`[^`\r\n]{1,200}`|[^\s,;<>"'`]{3,200})"""
_SIGN_IN_WORD: Final = (
    r"(?:pass(?:word|wort|phrase|code|wd)s?|kennw(?:ort|oerter|örter)|pwd|pw|psk|wpa2?[ -]?key|pre-?shared[ -]?key|"
    r"mot de passe|contrase(?:ñ|n)a|wachtwoord|hasło|senha|(?:login|door|alarm|sim)?[ -]?pin)"
)
_KEY_WORD: Final = (
    r"(?:api[ _-]?key|(?:client|app|shared|consumer)[ _-]?secret|secret(?:[ _-]?(?:access[ _-]?)?key)?|"
    r"(?:access|auth|refresh|bearer|session|id)[ _-]?token|token|account[ _-]?key|sharedaccess(?:key|signature)|"
    r"encryption[ _-]?key|recovery[ _-]?key)"
)
_CODE_WORD: Final = (
    r"(?:(?:mfa|otp|totp|2fa|one[ -]?time|verification|authenticator|authentication|sms|security|login|sign[ -]?in|"
    r"bestätigungs|sicherheits)[ -]?(?:code|pass(?:word|code)?|token|pin|number)?|auth code)"
)


@dataclass(frozen=True, slots=True)
class _Pattern:
    what: str
    regex: re.Pattern[str]
    in_prose: bool = False


def _pattern(what: str, regex: str, *, in_prose: bool = False) -> _Pattern:
    return _Pattern(what, re.compile(regex, re.IGNORECASE if in_prose else 0), in_prose)


_PATTERNS: Final = (
    _pattern(
        "private key",
        r"(?s)(?P<secret>-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z))",
    ),
    _pattern("password", r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,30}://[^\s:/@]{0,100}:(?P<secret>[^\s/]{1,200})@"),
    _pattern("token", r"(?P<secret>\beyJ[\w-]{8,}\.[\w-]{8,}\.?[\w-]*)"),
    _pattern("token", r"(?P<secret>\b(?:gh[pousr]_\w{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}|npm_\w{30,}))"),
    _pattern("token", r"(?P<secret>\b(?:xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{10,}))"),
    _pattern("API key", r"(?P<secret>\b(?:sk|rk|pk)[-_](?:live|test|ant|proj|or)?[-_]?[\w-]{20,})"),
    _pattern("API key", r"(?P<secret>\b(?:AIza[\w-]{35}|ya29\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}))"),
    _pattern("access key", r"(?P<secret>\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b)"),
    _pattern(
        "access key",
        r"(?i)\b(?:accountkey|sharedaccesskey|aws_secret_access_key)\s*[:=]\s*(?P<secret>[\w+/=]{16,})",
    ),
    _pattern(
        "signature",
        r"(?i)[?&](?:sig|signature|x-amz-signature|access_token|token|api_key|key)=(?P<secret>[^&\s]{8,})",
    ),
    _pattern("token", r"(?i)\bauthorization\s*[:=]\s*\w+\s+(?P<secret>[\w.~+/-]{8,}={0,2})"),
    _pattern("token", r"(?i)\b(?:bearer|basic)\s+(?P<secret>(?=\S*\d)[\w.~+/-]{12,}={0,2})"),
    _pattern("cookie", r"(?im)\b(?:set-)?cookie\s*:\s*(?P<secret>\S[^\r\n]{2,2000})"),
    _pattern(
        "cookie",
        r"(?i)\b(?:jsessionid|phpsessid|asp\.net_sessionid|estsauth\w*|fedauth|rtfa)=(?P<secret>[^;\s]{6,})",
    ),
    _pattern("recovery key", r"(?P<secret>\b(?:\d{6}-){7}\d{6}\b)"),
    _pattern("licence key", r"(?P<secret>\b(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}\b)"),
    _pattern("password", rf"\b{_SIGN_IN_WORD}{_SEPARATOR}{_VALUE}", in_prose=True),
    _pattern("password", rf"\b{_SIGN_IN_WORD}\s{{1,2}}(?P<secret>[^\s,;]{{6,100}})", in_prose=True),
    _pattern("key", rf"\b{_KEY_WORD}{_SEPARATOR}{_VALUE}", in_prose=True),
    _pattern(
        "password",
        r"\b(?:login|creds?|credentials|logon|zugangsdaten|user(?:name)?)\b\s*[:=]?\s*\S{1,80}\s?[/|]\s?(?P<secret>\S{4,100})",
        in_prose=True,
    ),
    _pattern("code", rf"\b{_CODE_WORD}{_SEPARATOR}?\s?(?P<secret>\d{{3}}[ -]?\d{{3,5}}\b)", in_prose=True),
)

_HINT: Final = re.compile(
    r"pass|pw|kennw|contrase|wachtwoord|has[łl]o|senha|psk|wpa|shared|pin\b|key|secret|token|://[^\s/@]*:[^\s/]*@|"
    r"-----BEGIN|eyJ|gh[pousr]_|github_pat|glpat-|npm_|xox|xapp-|[srp]k[-_]|AIza|ya29|SG\.|A(?:KI|SI|RO|ID)A|"
    r"sig=|signature|bearer|basic|cookie|sess|auth|rtfa|(?:\w{5,6}-){4}|login|cred|logon|zugang|user|"
    r"mfa|otp|2fa|one[ -]?time|code|sms",
    re.IGNORECASE,
)
"""Most texts hold none of these, and are not looked at again."""

_NOT_SECRETS: Final = re.compile(
    r"""
    a | able | accepted | again | agents | all | also | an | and | any | are | ask | asked | asking |
    asks | at | be | been | before | being | below | blank | but | by | case | change | changed |
    changes | client | correct | dead | did | disabled | do | done | each | email | empty | enabled |
    entered | entry | error | expire | expired | expires | expiry | fails | failed | field | fine | for
    | forgotten | forgot | from | fully | given | gone | good | got | hash | hashes | have | here |
    history | i | if | in | incorrect | invalid | is | it | its | known | later | left | length | like |
    locked | login | manager | managers | mismatch | missing | needed | needs | never | new | no | none
    | not | now | null | of | off | ok | old | on | once | only | or | our | out | page | pending |
    policies | policy | portal | prompt | prompts | protected | required | reset | resets | resetting |
    rejected | reused | rotated | rotation | saved | screen | sent | service | session | set | shared |
    still | stored | sync | synced | synchronisation | synchronization | syncing | temporary | that |
    the | their | then | there | they | this | timeout | to | too | twice | unchanged | unknown | until
    | updated | usage | user | users | using | valid | vault | was | we | weak | were | when | which |
    will | window | with | within | without | wrong | you | your | abgelaufen | aktualisiert | auf | bei
    | das | dem | den | der | die | ein | eine | falsch | fehlt | für | geändert | gesetzt | gesperrt |
    gespeichert | gültig | im | in | ist | kein | keine | mit | neu | nicht | noch | nötig | oder |
    richtig | ungültig | und | unbekannt | vergessen | von | war | wird | wurde | zurückgesetzt |
    zurücksetzen
    """,
    re.VERBOSE,
)
"""What follows "password" in plain sentences: "password expired", "the password is wrong"."""

_MIN_REPEATED: Final = 6


def _is_secret(value: str, *, separated: bool) -> bool:
    """Whether a word after "password" is one. Without `:` or `=` it has to look the part."""
    word = value.strip("\"'`.!?()[]{}").lower()
    if _NOT_SECRETS.fullmatch(word) or word.startswith(("http://", "https://")):
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

    @classmethod
    def found_in(cls, texts: Iterable[str]) -> Self:
        """Those that may stand elsewhere without the words that give them away; the longest first."""
        found: dict[str, str] = {}
        for text in texts:
            for what, value in _secrets_of(text):
                bare = value.strip("\"'`").rstrip(".,;:!?)")
                if len(bare) >= _MIN_REPEATED and (_looks_random(bare) or bare.isdigit()):
                    found.setdefault(bare, what)
        return cls(tuple(sorted(found.items(), key=lambda item: (-len(item[0]), item[0]))))

    def removed(self, text: str) -> str:
        """The text with `[password removed]` and the like in the place of each secret."""
        for value, what in self.repeated:
            text = text.replace(value, _placeholder(what))
        return _without_recognisable(text)


def _placeholder(what: str) -> str:
    return f"[{what} removed]"


def _matches(pattern: _Pattern, text: str) -> Iterable[re.Match[str]]:
    for match in pattern.regex.finditer(text):
        lead = text[match.start() : match.start("secret")].rstrip()
        separated = lead.endswith((":", "=", ">")) or match["secret"][:1] in "\"'`"
        certain = pattern.what == "code" or not pattern.in_prose
        if "removed]" in match["secret"] or match["secret"].startswith("["):
            continue
        if certain or _is_secret(match["secret"], separated=separated):
            yield match


def _secrets_of(text: str) -> Iterable[tuple[str, str]]:
    if _HINT.search(text):
        for pattern in _PATTERNS:
            for match in _matches(pattern, text):
                yield pattern.what, match["secret"]


def _without_recognisable(text: str) -> str:
    if not _HINT.search(text):
        return text
    for pattern in _PATTERNS:
        for match in reversed(list(_matches(pattern, text))):
            start, end = match.span("secret")
            text = f"{text[:start]}{_placeholder(pattern.what)}{text[end:]}"
    return text
