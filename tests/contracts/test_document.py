"""docs/messages.md says what the contracts say."""

import re
from pathlib import Path

import pytest
from shared.contracts import document, topology
from shared.contracts.catalogue import ROUTES
from shared.contracts.markdown import anchor
from shared.contracts.vocabulary import Service


def test_the_page_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert document.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_page_is_named_with_the_place_where_it_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "messages.md"
    page.write_text(document.document().replace("| `rf.changes` | direct |", "| `rf.changes` | fanout |"))
    monkeypatch.setattr(document, "DOCUMENT", page)

    assert document.main(["--check"]) == 1
    said = capsys.readouterr().err

    assert str(page) in said
    assert "make contracts" in said
    assert said.splitlines()[1:] == ["  Exchanges"]
    assert "fanout" in page.read_text()


def test_a_missing_page_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "DOCUMENT", tmp_path / "docs" / "messages.md")

    assert document.main(["--check"]) == 1
    assert document.main([]) == 0
    assert document.main(["--check"]) == 0


def test_the_page_is_the_same_each_time() -> None:
    assert document.document() == document.document()


def test_the_page_names_everything() -> None:
    page = document.document()
    named = [*topology.EXCHANGES, *(queue.name for queue in topology.queues()), *Service]
    assert [name for name in named if f"`{name}`" not in page] == []
    assert [name for name in ROUTES if f"### {name.removeprefix('event ')}\n" not in page] == []


def test_its_links_lead_somewhere() -> None:
    page = document.document()
    headings = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    links = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert links
    assert links <= headings


def test_every_field_says_what_it_means() -> None:
    fields = re.findall(r"^\| `.*\|$", document.document(), re.MULTILINE)
    assert [row for row in fields if re.search(r"\|\s*\|", row)] == []


def test_a_pattern_with_bars_stays_in_its_cell() -> None:
    row = next(row for row in document.document().splitlines() if row.startswith("| `gateway`"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 7


def test_nested_types_bounds_and_nulls_are_told() -> None:
    page = document.document()
    assert "| `commands` | list of [Command](#command) (1 to 128) |" in page
    assert "| `subject` (optional) | string or null |" in page
    assert "| `confidence_pct` (optional) | integer (0 to 100) or null |" in page
