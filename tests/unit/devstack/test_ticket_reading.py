"""A ticket is read as it was meant, whatever stands in it."""

import json
import re
from pathlib import Path

import pytest
from devstack.ticket_format import Record
from devstack.tickets import InvalidTicketsError, read_ticket
from hypothesis import given
from hypothesis import strategies as st
from unit.devstack.ticket_files import GOOD, changed, written


def test_a_good_ticket_is_read_and_its_lines_are_joined(tmp_path: Path) -> None:
    ticket = read_ticket(written(tmp_path, json.dumps(GOOD)))
    assert ticket.intake == "first line\nsecond line"
    assert len(ticket.steps) == len(GOOD["steps"])


def test_missing_notes_may_be_the_point_of_a_step(tmp_path: Path) -> None:
    text = changed(
        lambda t: t["steps"][4].update(record={"fix": "port", "outcome": "applied_pending"}, expect=400)
    )
    assert read_ticket(written(tmp_path, text)).steps[4] == Record.model_validate_json(
        '{"record": {"fix": "port", "outcome": "applied_pending"}, "expect": 400}'
    )


LINE = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)


@given(lines=st.lists(LINE, min_size=1, max_size=20).filter(lambda lines: "".join(lines).strip()))
def test_a_list_of_lines_and_the_text_they_make_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    by_line = read_ticket(written(folder, changed(lambda t: t.update(intake=lines)), "a.json"))
    as_text = read_ticket(written(folder, changed(lambda t: t.update(intake="\n".join(lines))), "b.json"))
    assert by_line == as_text


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | LINE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LINE, inner, max_size=4),
    max_leaves=8,
)


@given(field=st.sampled_from(sorted(GOOD)), junk=JUNK)
def test_whatever_stands_in_a_field_it_is_read_or_blamed_on_that_field(
    tmp_path_factory: pytest.TempPathFactory, field: str, junk: object
) -> None:
    file = written(tmp_path_factory.mktemp("junk"), changed(lambda t: t.update({field: junk})))
    try:
        read_ticket(file)
    except InvalidTicketsError as error:
        blamed = {re.split(r"[.\[]", mistake.field)[0] for mistake in error.mistakes}
        assert blamed <= {field, "ends_as"}  # its fixes are unknown when the steps that suggest them are gone
