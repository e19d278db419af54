"""People's text as it may stand in a document: never a heading, HTML or a disguised link that it brings along.

Words stay as they are. Only what markdown would read as structure is defused, so that recorded notes can be
found in a document word for word.
"""

import re
import unicodedata
from typing import Final

_LINE_ENDS: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")
_LINK: Final = re.compile(r"\](?=[(\[])")
_BLOCK_START: Final = re.compile(
    r"""
    \#{1,6}(?=\s|$)                          # a heading
    | [=-]+\s*$                              # the underline of one
    | >                                      # a quotation
    | [*+-](?=\s|$) | (?P<number>\d{1,9})[.)](?=\s|$)  # a list
    | ([-*_])(?:\s*\2){2,}\s*$              # a rule
    | ```|~~~                                # a block of code
    | \|.*\|                                 # a table
    | \[[^\]]*\]:                            # the target of a link
    """,
    re.VERBOSE,
)
_UNPRINTED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_JOINERS: Final = frozenset({"\u200c", "\u200d"})


def one_line(text: str) -> str:
    """On one line, without control and direction-changing characters; otherwise word for word."""
    return " ".join(_printed(_LINE_ENDS.sub(" ", text)).split())


def inline(text: str) -> str:
    """One line that may follow words of ours."""
    return _defused(one_line(text))


def item(text: str) -> str:
    """One line that may begin a paragraph or a list item."""
    return _without_block_start(inline(text))


def quote(text: str, *, lines: int, characters: int) -> str:
    """A block quote of the first lines; what is left out is counted below it."""
    every = [line for line in (one_line(raw) for raw in _LINE_ENDS.split(text)) if line]
    kept: list[str] = []
    left = characters
    for line in every[:lines]:
        if left <= 0:
            break
        kept.append(shortened(line, left))
        left -= len(line)
    # Two spaces at a line's end keep the break; a reader of the raw text does not see them.
    quoted = "  \n".join(f"> {item(line)}" for line in kept)
    missing = len(every) - len(kept)
    return quoted if missing <= 0 else f"{quoted}\n>\n> *({_lines(missing)} left out)*"


def shortened(text: str, characters: int) -> str:
    """At most so many characters, cut at a word."""
    if len(text) <= characters:
        return text
    cut = text[: max(characters - 1, 1)]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > characters // 2 else cut).rstrip() + "…"


def sentence(text: str) -> str:
    """With a full stop, unless it ends in a mark already."""
    return text if text.endswith((".", "!", "?", "…", ":")) else f"{text}."


def _lines(count: int) -> str:
    return "1 more line" if count == 1 else f"{count} more lines"


def _printed(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if character == "\t" else character
        for character in text
        if character in _JOINERS or character == "\t" or unicodedata.category(character) not in _UNPRINTED
    )


def _defused(text: str) -> str:
    text = _LINK.sub("]\\\\", _TAG.sub("&lt;", text))
    return text if text.count("`") % 2 == 0 else text.replace("`", "\\`")


def _without_block_start(text: str) -> str:
    match = _BLOCK_START.match(text)
    if match is None:
        return text
    if match["number"]:
        return f"{match['number']}\\{text[len(match['number']) :]}"
    return f"\\{text}"
