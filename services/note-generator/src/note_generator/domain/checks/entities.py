"""Finds, in one line, what has to be grounded, and brings different ways to write it to the same keys."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from re import Match
from typing import Final, NamedTuple


class Entity(NamedTuple):
    """Something named. Any of its `keys` may be how the record writes it; `cut`: only how it begins is shown."""

    what: str
    text: str
    keys: tuple[str, ...]
    cut: bool = False


_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            *(
                "january januar",
                "february februar",
                "march märz",
                "april",
                "may mai",
                "june juni",
                "july juli",
            ),
            *("august", "september", "october oktober", "november", "december dezember"),
        ),
        1,
    )
    for full in names.split()
    for name in (full, full[:3])
}
_MONTH: Final = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAYS: Final = {
    name: english
    for english, names in {
        "monday": "monday montag",
        "tuesday": "tuesday dienstag",
        "wednesday": "wednesday mittwoch",
        "thursday": "thursday donnerstag",
        "friday": "friday freitag",
        "saturday": "saturday samstag sonnabend",
        "sunday": "sunday sonntag",
    }.items()
    for name in names.split()
}


def _as_written(match: Match[str]) -> tuple[str, ...]:
    return (match[0].casefold(),)


def _date(year: str | None, month: int, day: int) -> tuple[str, ...]:
    short = f"{month:02}-{day:02}"
    return (f"{year}-{short}", short) if year and len(year) == 4 else (short,)  # noqa: PLR2004 - four digits


def _iso_date(match: Match[str]) -> tuple[str, ...]:
    return _date(match[1], int(match[2]), int(match[3]))


def _slash_date(match: Match[str]) -> tuple[str, ...]:
    one, other = int(match[1]), int(match[2])
    return (*_date(match[3], one, other), *_date(match[3], other, one))


def _day_month(match: Match[str]) -> tuple[str, ...]:
    return _date(match[3], _MONTHS[match[2].casefold()], int(match[1]))


def _month_day(match: Match[str]) -> tuple[str, ...]:
    return _date(match[3], _MONTHS[match[1].casefold()], int(match[2]))


def _time(match: Match[str]) -> tuple[str, ...]:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    half = (match["half"] or "").casefold().replace(".", "")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
        return (f"{hour:02}:{minute:02}",)
    other = {hour % 12, hour % 12 + 12} if hour <= 12 else {hour}  # noqa: PLR2004 - 5:00 may be 17:00
    return (f"{hour:02}:{minute:02}", *(f"{each % 24:02}:{minute:02}" for each in sorted(other)))


def _weekday(match: Match[str]) -> tuple[str, ...]:
    return (_WEEKDAYS[match[0].casefold()],)


def _group(match: Match[str]) -> tuple[str, ...]:
    return (match[1].casefold(),)


def _hour_word(match: Match[str]) -> tuple[str, ...]:
    return (match[0].casefold(), "12:00" if match[0].casefold() == "noon" else "00:00")


def _release(match: Match[str]) -> tuple[str, ...]:
    name = match[0].casefold()
    return name, name.replace(" ", ""), f"{name[:3]}{match[1]}"


def _digits(match: Match[str]) -> tuple[str, ...]:
    return (re.sub(r"\D", "", match[0]),)


def _kb(match: Match[str]) -> tuple[str, ...]:
    return (f"kb{match[1]}",)


def _ip(match: Match[str]) -> tuple[str, ...]:
    return (match[0].casefold(), match[1].casefold())


class _Kind(NamedTuple):
    what: str
    pattern: re.Pattern[str]
    keys: Callable[[Match[str]], tuple[str, ...]] = _as_written


def _kind(
    what: str,
    pattern: str,
    keys: Callable[[Match[str]], tuple[str, ...]] = _as_written,
    *,
    exactly: bool = False,
) -> _Kind:
    return _Kind(what, re.compile(pattern, 0 if exactly else re.IGNORECASE), keys)


# In this order: what one has found is not looked at by those below.
_KINDS: Final = (
    _kind("address", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"')\]]*[^\s<>\"')\].,;:!?*…]"),
    _kind("e-mail address", r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    _kind("KB number", r"\bKB[ -]?(\d{4,8})\b", _kb),
    _kind("IP address", r"(?<![\w.])((?:\d{1,3}\.){3}\d{1,3})(?:/\d{1,2}|:\d{1,5})?(?![\w.]*\d)", _ip),
    _kind(
        "IP address", r"(?<![\w:])((?=[0-9a-f:]*[a-f:]{2})(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})(?![\w:])", _ip
    ),
    _kind("date", r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)", _iso_date),
    _kind("date", r"(?<![\d./])(\d{1,2})[./](\d{1,2})[./](\d{4}|\d\d)(?![\d./])", _slash_date),
    _kind("date", rf"\b(\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?({_MONTH})\b\.?(?:,? (\d{{4}}))?", _day_month),
    _kind("date", rf"\b({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}}))?", _month_day),
    _kind(
        "time",
        r"(?<![\w:.])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::\d\d)?(?: ?(?P<half>[ap]\.?m)\b\.?)?",
        _time,
    ),
    _kind("time", r"(?<![\w:.])(?P<hour>1[0-2]|[1-9])(?P<minute>)? ?(?P<half>[ap]\.?m)\b\.?", _time),
    _kind("time", r"\b(?:noon|midnight)\b", _hour_word),
    _kind("day", r"\b(?:today|tonight|tomorrow|yesterday)\b"),
    _kind("day", r"\b(?:" + "|".join(_WEEKDAYS) + r")\b", _weekday),
    _kind("user name", r"\b[a-z][\w-]*\\[\w.$-]+\w"),
    _kind("host name", r"\\\\[\w.$-]+(?:\\[\w.$ -]+)*\w"),
    _kind("host name", r"\b(?:[a-z0-9_](?:[\w-]*\w)?\.)+[a-z]{2,}\b(?!\()"),
    _kind("version", r"\bv?\d+(?:\.(?:\d+|x))+(?:[-+.]?\w+)*"),
    _kind("version", r"\b\d\dH[12]\b"),
    _kind(
        "version",
        r"\b(?:windows|server|office|macos|ios|android|ubuntu|debian|exchange) (\d{1,4})\b",
        _release,
    ),
    _kind("phone number", r"(?<![\w.])(?:\+\d|\(?0\d)[\d ()/-]{5,}\d\b|\b\d{3}[ -]\d{4}\b", _digits),
    _kind(
        "number",
        r"\b(?:port|vlan|extension|ext|id|ticket|case|incident|event|code|pid)\.? #?(\d{2,})\b",
        _group,
    ),
    _kind(
        "host name",
        r"\b(?:[Ss]erver|[Hh]ost|[Mm]achine|[Cc]omputer|[Rr]outer|[Ss]witch|[Pp]rinter|[Ff]irewall|[Nn]ode|[Ll]aptop) "
        r"(?:named |called )?([A-Z][\w-]{2,})",
        _group,
        exactly=True,
    ),
    _kind("person", r"\b(?:Mr|Mrs|Ms|Dr|Herr|Frau)\.? ([A-Z]\w+)", _group, exactly=True),
    _kind(
        "person",
        r"\b(?:[Cc]ontact|[Aa]sk|[Tt]ell|[Ee]-?mail|[Cc]all) ([A-Z][a-z]{2,})\b",
        _group,
        exactly=True,
    ),
    _kind("host name", r"\b[a-z][a-z_]*(?:-[a-z0-9_]+)*[-_]?\d+[\w-]*\b"),
    _kind("host name", r"\b[A-Z]{2,}[A-Z0-9]*(?:-[A-Z0-9]{2,})+\b", exactly=True),
    _kind("name", r"(?<=[a-z,] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})+\b", exactly=True),
    _kind("number", r"\b(?:0x[0-9a-f]+|\d{5,})\b"),
)
_PIECES: Final = re.compile(r".{1,500}(?:\s|$)|.{1,500}", re.DOTALL)
_WORDS: Final = re.compile(r"\w+(?:[-'.\\@_]\w+)*|\w+")


@lru_cache(maxsize=2_048)
def of(line: str) -> tuple[Entity, ...]:
    """Everything in the line that has to be known. Piece by piece: a hostile line must not take minutes."""
    return tuple(entity for piece in _PIECES.findall(line) for entity in _of_piece(piece))


def _of_piece(line: str) -> Iterator[Entity]:
    for kind in _KINDS:
        for match in kind.pattern.finditer(line):
            cut = line[match.end() : match.end() + 1] == "…"
            try:
                keys = kind.keys(match)
            except KeyError:
                continue
            if kind.what == "name":
                yield from (Entity(kind.what, match[0], (word.casefold(),), cut) for word in match[0].split())
            else:
                yield Entity(kind.what, match[0], keys, cut)
        line = kind.pattern.sub(lambda match: " " * len(match[0]), line)


def words(line: str) -> Iterator[str]:
    """Every word, in the ways in which it may be asked for."""
    for match in _WORDS.finditer(line):
        yield match[0].casefold()
        yield from (part.casefold() for part in re.split(r"[-'.\\@_]", match[0]) if part)
