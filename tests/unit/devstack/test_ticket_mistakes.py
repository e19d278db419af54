"""Every kind of mistake in a ticket is named with its file and field."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from devstack.tickets import InvalidTicketsError, load_tickets, read_ticket
from unit.devstack.ticket_files import GOOD, Json, changed, written


def race_of(*entries: Json) -> Callable[[Json], object]:
    return lambda t: t["steps"][5].update(race=list(entries))


def record(outcome: str = "dismissed", fix: str = "port", **others: object) -> Json:
    return {"record": {"fix": fix, "outcome": outcome}, **others}


MISTAKES: dict[str, tuple[Callable[[Json], object], str, str]] = {
    "missing field": (lambda t: t.pop("title"), "title", "is missing"),
    "unknown field": (lambda t: t.update(titel="x"), "titel", "is not known here"),
    "unknown field in a step": (
        lambda t: t["steps"][4].update(expects=409),
        "steps[4].expects",
        "is not known",
    ),
    "blank title": (lambda t: t.update(title="  "), "title", "at least 1 character"),
    "long title": (lambda t: t.update(title="x" * 301), "title", "at most 300 characters"),
    "NUL in a text": (lambda t: t.update(intake="a\x00b"), "intake", "U+0000"),
    "intake of mixed lines": (lambda t: t.update(intake=["a", 3]), "intake", "list of its lines"),
    "id as a number": (lambda t: t["ticket"].update(id=1), "ticket.id", "must be a valid string"),
    "url without scheme": (lambda t: t["ticket"].update(url="psa.example"), "ticket.url", "must match"),
    "no steps": (lambda t: t.update(steps=[]), "steps", "needs at least 1, has 0"),
    "steps not a list": (lambda t: t.update(steps={}), "steps", "must be a valid"),
    "unknown verb": (lambda t: t["steps"].append({"reply": "x"}), "steps[8]", "exactly one of say, fact"),
    "two verbs": (lambda t: t["steps"][3].update(resolve={}), "steps[3]", "exactly one of say, fact"),
    "a step that is no object": (lambda t: t["steps"].append("resolve"), "steps[8]", "exactly one of"),
    "unknown speaker": (lambda t: t["steps"][0]["say"].update({"as": "boss"}), "steps[0].say.as", "'client'"),
    "confidence over 100": (
        lambda t: t["steps"][1]["suggest"].update(confidence_pct=101),
        "steps[1].suggest.confidence_pct",
        "less than or equal to 100",
    ),
    "confidence as text": (
        lambda t: t["steps"][1]["suggest"].update(confidence_pct="80"),
        "steps[1].suggest.confidence_pct",
        "must be a valid integer",
    ),
    "name taken": (lambda t: t["steps"].insert(2, t["steps"][1]), "steps[2].suggest.name", "is taken"),
    "fix that nobody suggested": (
        lambda t: t["steps"][3].update(apply="prot"),
        "steps[3].apply",
        "named 'prot'",
    ),
    "fix before its suggestion": (
        lambda t: t["steps"].insert(0, {"apply": "port"}),
        "steps[0].apply",
        "no step before",
    ),
    "fix whose suggestion is refused": (
        lambda t: t["steps"][1].update(expect=422),
        "steps[3].apply",
        "no step before",
    ),
    "outcome that is none": (
        lambda t: t["steps"][4]["record"].update(outcome="proposed"),
        "steps[4].record.outcome",
        "'applied_pending'",
    ),
    "pending without notes": (
        lambda t: t["steps"][4]["record"].pop("notes"),
        "steps[4].record.notes",
        "required for applied_pending",
    ),
    "pending with blank notes": (
        lambda t: t["steps"][4]["record"].update(notes=" "),
        "steps[4].record.notes",
        "required for applied_pending",
    ),
    "unsaid quote": (
        lambda t: t["steps"][2]["propose"].update(evidence=["prints again", "never said"]),
        "steps[2].propose.evidence[1]",
        "nobody said",
    ),
    "expected success": (lambda t: t["steps"][4].update(expect=200), "steps[4].expect", "equal to 400"),
    "by on a step of the AI": (lambda t: t["steps"][1].update(by="Sam"), "steps[1].by", "is not known here"),
    "resolve with words": (
        lambda t: t["steps"][7].update(resolve={"note": "x"}),
        "steps[7].resolve.note",
        "is not",
    ),
    "race of one": (race_of(record(by="Sam")), "steps[5].race", "needs at least 2, has 1"),
    "race without names": (race_of(record(), record(by="Sam")), "steps[5]", "'by' of their own"),
    "race with oneself": (race_of(record(by="Sam"), record(by="Sam")), "steps[5]", "'by' of their own"),
    "race on two fixes": (race_of(record(by="Sam"), record(by="P", fix="x")), "steps[5]", "the same fix"),
    "race of open outcomes": (
        race_of(record("applied_partial", by="Sam"), record(by="P")),
        "steps[5]",
        "only outcomes that are final",
    ),
    "race with expect": (
        race_of(record(by="Sam", expect=409), record(by="P")),
        "steps[5]",
        "leave 'expect' out",
    ),
    "race of something else": (
        race_of(record(by="Sam"), {"apply": "port"}),
        "steps[5].race[1].apply",
        "is not known here",
    ),
    "ending of an unknown fix": (
        lambda t: t["ends_as"]["fixes"].update(x="dismissed"),
        "ends_as.fixes.x",
        "no step suggests",
    ),
    "ending in an unknown status": (
        lambda t: t["ends_as"].update(session="closed"),
        "ends_as.session",
        "'resolved' or 'escalated'",
    ),
}


@pytest.mark.parametrize(("change", "field", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_file_and_field(
    tmp_path: Path, change: Callable[[Json], object], field: str, message: str
) -> None:
    with pytest.raises(InvalidTicketsError) as caught:
        read_ticket(written(tmp_path, changed(change)))
    found = [mistake for mistake in caught.value.mistakes if mistake.field == field]
    assert [mistake.file for mistake in found] == ["printer.json"]
    assert message in found[0].message


@pytest.mark.parametrize(
    ("content", "field", "message"),
    [
        (b'{"title": "x",\n  "intake" "y"}', "line 2 column 12", "is not JSON: Expecting ':'"),
        (b"", "line 1 column 1", "is not JSON"),
        (b'{"title": "\xff"}', "byte 11", "is not UTF-8"),
        (b'{"title": "x", "title": "y"}', "'title'", "stands twice"),
        (b"[" * 100_000, "", "nested too deeply"),
        (b"[]", "", "must be an object"),
    ],
)
def test_a_file_that_holds_no_ticket_says_where_it_breaks(
    tmp_path: Path, content: bytes, field: str, message: str
) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    with pytest.raises(InvalidTicketsError) as caught:
        read_ticket(file)
    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.field) == ("broken.json", field)
    assert message in mistake.message


def test_all_mistakes_of_all_files_are_listed_at_once(tmp_path: Path) -> None:
    written(tmp_path, changed(lambda t: (t.pop("title"), t.pop("engineer"))), "a.json")
    written(tmp_path, json.dumps(GOOD), "b.json")
    written(tmp_path, "{", "c.json")
    with pytest.raises(InvalidTicketsError) as caught:
        load_tickets(tmp_path)
    assert str(caught.value).splitlines() == [
        "a.json: title: is missing",
        "a.json: engineer: is missing",
        "c.json: line 1 column 2: is not JSON: Expecting property name enclosed in double quotes",
    ]


def test_a_list_of_faulty_steps_is_not_called_too_short_besides(tmp_path: Path) -> None:
    with pytest.raises(InvalidTicketsError) as caught:
        read_ticket(written(tmp_path, changed(lambda t: t.update(steps=[{"apply": 3}], ends_as=None))))
    assert [mistake.field for mistake in caught.value.mistakes] == ["steps[0].apply"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "holds no *.json file"),
        (lambda folder: folder.write_text("x"), "is not a folder"),
    ],
)
def test_a_folder_without_tickets_says_so(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    folder = tmp_path / "tickets"
    make(folder)
    with pytest.raises(InvalidTicketsError) as caught:
        load_tickets(folder)
    assert str(caught.value) == f"{folder}: {message}"
