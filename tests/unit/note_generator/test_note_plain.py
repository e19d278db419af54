"""People's text in a document: it keeps its words and loses its power."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from note_generator.domain import plain

UNHURRIED = settings(deadline=None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("## Resolution", "\\## Resolution"),
        ("#channel is not a heading", "#channel is not a heading"),
        ("=====", "\\====="),
        ("---", "\\---"),
        ("---- forwarded ----", "---- forwarded ----"),
        ("- a list", "\\- a list"),
        ("-5 dBm", "-5 dBm"),
        ("1. first", "1\\. first"),
        ("4.2.1 is old", "4.2.1 is old"),
        ("> quoted", "\\> quoted"),
        ("```", "\\`\\`\\`"),
        ("[target]: https://example.com", "\\[target]: https://example.com"),
        ("| a | b |", "\\| a | b |"),
    ],
)
def test_a_line_cannot_begin_a_block(text: str, shown: str) -> None:
    assert plain.item(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>now</b> <!-- x -->", "&lt;b>now&lt;/b> &lt;!-- x -->"),
        ("a <- b, 5 < 6, x<=y", "a <- b, 5 < 6, x<=y"),
        ("[click](https://example.com)", "[click]\\(https://example.com)"),
        ("[click][here]", "[click]\\[here]"),
        ("half a `code span", "half a \\`code span"),
        ("a whole `code span`", "a whole `code span`"),
        ("two\nlines\u2028and\r\nmore", "two lines and more"),
        ("right\u202eto left\u2066 and \x1b[31mred", "rightto left and [31mred"),
    ],
)
def test_inline_text_brings_no_markup_along(text: str, shown: str) -> None:
    assert plain.inline(text) == shown


def test_ordinary_words_stay_word_for_word() -> None:
    text = "Client power-cycles the router after 18:00 (Hr. Grünwald); 2 of 5 done, \\\\print\\accounts: ok & quiet"
    assert plain.inline(text) == text


def test_a_long_text_is_quoted_by_its_first_lines() -> None:
    quoted = plain.quote("\n".join(f"line {n}" for n in range(400)), lines=2, characters=100)
    assert quoted == "> line 0  \n> line 1\n>\n> *(398 more lines left out)*"


@UNHURRIED
@given(st.text())
def test_a_quotation_is_nothing_but_a_quotation(text: str) -> None:
    quoted = plain.quote(text, lines=12, characters=500)
    assert all(line.startswith(">") for line in quoted.splitlines())
    assert not any(re.match(r">\s*(#{1,6}(\s|$)|>|[-+*]\s|```|~~~)", line) for line in quoted.splitlines())
