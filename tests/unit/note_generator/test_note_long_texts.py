"""Whatever is pasted, a note-generator goes on: nothing takes more than linear time for a text.

Each of these takes milliseconds; what grows with the square of the length takes minutes.
"""

import re

import pytest
from note_generator.domain.checks import closure
from note_generator.domain.checks.shape import MAX_CHARACTERS
from note_generator.domain.secrets import Secrets
from note_generator.domain.wording import sections_of
from shared.contracts.text import MAX_LONG_TEXT

pytestmark = pytest.mark.timeout(20)


@pytest.mark.parametrize(
    ("start", "repeated"),
    [
        ("", "_token"),
        ("token", "_"),
        ("api_key", "1_"),
        ("", "token="),
        ("", "eyJ-"),
        ("", "eyJaaaaa.aaaa."),
        ("login", " "),
        ("recovery code", " "),
        ("recovery code A1B2C3", " "),
        ("curl -u", "a"),
        ("", "curl -u "),
        ("bearer", " "),
        ("authorization", "\t"),
        ("", "-----BEGIN PRIVATE KEY"),
        ("", "a.b:"),
        ("", "pass"),
    ],
)
def test_secrets_are_looked_for_in_the_longest_text(start: str, repeated: str) -> None:
    text = (start + repeated * MAX_LONG_TEXT)[: MAX_LONG_TEXT - 1] + "!"
    shown = Secrets.found_in([text]).removed(text)
    assert shown == text or "removed]" in shown


@pytest.mark.parametrize(
    "repeated", ["it is not working ", "once it is fixed ", "not been ", "may work again "]
)
@pytest.mark.parametrize("claim", [closure.DECIDING, closure.ANYWHERE, closure.GONE], ids=["d", "a", "g"])
def test_claims_are_looked_for_in_a_sentence_without_an_end(repeated: str, claim: re.Pattern[str]) -> None:
    denied = (repeated * MAX_CHARACTERS)[:MAX_CHARACTERS]
    assert not closure.is_claimed(denied, claim)
    assert closure.is_claimed(f"{denied}, it works again", closure.DECIDING)


@pytest.mark.parametrize("repeated", ["_", "*", " _", "~~"])
def test_emphasis_is_read_away_however_much_of_it_there_is(repeated: str) -> None:
    assert closure.as_read("a" + repeated * MAX_CHARACTERS + "b") != ""


@pytest.mark.parametrize("blank", [" ", "\t"])
def test_a_heading_may_be_followed_by_blanks_without_end(blank: str) -> None:
    blanks = blank * MAX_CHARACTERS
    assert sections_of(f"## Problem{blanks}\nNo line\n") == {"## Problem": "No line"}
    assert "## Problem" not in sections_of(f"## {blanks}!\n")
