"""Text at the boundary: trimmed, bounded, and storable; what cannot be stored is refused, never changed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from shared.contracts.text import Label, LongText, Notes, ShortText, Title, Url

# Python calls these spaces, Unicode and pydantic do not.
SEPARATORS = "\x1c\x1d\x1e\x1f"
LONGEST = {Title: 300, ShortText: 4_000, LongText: 100_000, Notes: 4_000, Label: 100}
EVERY_TEXT = pytest.mark.parametrize(
    ("kind", "longest"), LONGEST.items(), ids=["Title", "Short", "Long", "Notes", "Label"]
)


def read(kind: Any, value: object) -> str:
    text: str = TypeAdapter(kind).validate_python(value)
    return text


@EVERY_TEXT
def test_text_may_be_as_long_as_it_says_after_trimming(kind: Any, longest: int) -> None:
    assert len(read(kind, " \n" + "x" * longest + "\t ")) == longest
    with pytest.raises(ValidationError, match="string_too_long"):
        read(kind, "x" * (longest + 1))


@EVERY_TEXT
def test_blank_text_is_no_text(kind: Any, longest: int) -> None:
    del longest
    if kind is Notes:
        assert read(kind, " \n ") == ""  # whether notes are needed is the outcome's rule: 400, not 422
        return
    for blank in ("", "   ", "\t\r\n", "\u2003"):
        with pytest.raises(ValidationError, match="string_too_short"):
            read(kind, blank)


@EVERY_TEXT
@pytest.mark.parametrize("text", ["\x00", "a\x00b", "a\x00", "\x00a"])
def test_nul_is_refused(kind: Any, longest: int, text: str) -> None:
    del longest
    with pytest.raises(ValidationError, match=r"U\+0000"):
        read(kind, text)


@EVERY_TEXT
@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_a_lone_surrogate_is_refused(kind: Any, longest: int, text: str) -> None:
    del longest
    with pytest.raises(ValidationError, match="string_unicode"):
        read(kind, text)


@pytest.mark.parametrize("body", [rb'"a\ud800b"', rb'"\udc00"'])
def test_a_lone_surrogate_in_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ShortText).validate_json(body)


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_what_is_accepted_is_stored_as_it_is_but_for_its_edges(text: str) -> None:
    if not text.strip():
        return
    accepted = read(ShortText, text)
    before, found, after = text.partition(accepted)
    assert found
    assert not (before + after).strip()
    assert not accepted[0].isspace() or accepted[0] in SEPARATORS


@given(st.text(st.characters(), max_size=50))
def test_what_is_accepted_can_be_stored(text: str) -> None:
    try:
        accepted = read(Notes, text)
    except ValidationError:
        return
    assert "\x00" not in accepted.encode().decode()


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://psa.example/1", "//psa.example", "https:// ", "data:text/html,x"]
)
def test_a_link_is_a_web_address(url: str) -> None:
    with pytest.raises(ValidationError):
        read(Url, url)


def test_a_web_address_is_a_link() -> None:
    assert read(Url, " https://psa.example/tickets/1?x=%20 ") == "https://psa.example/tickets/1?x=%20"
