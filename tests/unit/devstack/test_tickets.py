"""The demo's tickets: those that ship are right, and every kind of mistake is named with its file and field."""

import copy
import ipaddress
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from devstack.ticket_format import Race, Record, Say
from devstack.tickets import InvalidTicketsError, load_tickets, read_ticket
from hypothesis import given
from hypothesis import strategies as st
from shared.contracts.vocabulary import Outcome

SHIPPED = Path(__file__).parents[3] / "examples" / "tickets"
Json = dict[str, Any]

GOOD: Json = {
    "title": "Printer offline",
    "ticket": {"system": "halopsa", "id": "1"},
    "engineer": "Sam",
    "intake": ["first line", "second line"],
    "steps": [
        {"say": {"as": "client", "text": "it prints again"}},
        {"suggest": {"name": "port", "title": "Port", "description": "Correct it", "confidence_pct": 80}},
        {"propose": {"fix": "port", "outcome": "success", "reason": "said so", "evidence": ["prints again"]}},
        {"apply": "port"},
        {"record": {"fix": "port", "outcome": "applied_pending", "notes": "until tonight"}},
        {
            "race": [
                {"record": {"fix": "port", "outcome": "applied_success"}, "by": "Sam"},
                {"record": {"fix": "port", "outcome": "applied_failed"}, "by": "Priya"},
            ]
        },
        {"later": "next day"},
        {"resolve": {}},
    ],
    "ends_as": {"session": "resolved", "fixes": {"port": "applied_success"}},
}


def changed(change: Callable[[Json], object]) -> str:
    ticket = copy.deepcopy(GOOD)
    change(ticket)
    return json.dumps(ticket)


def written(folder: Path, text: str, name: str = "printer.json") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_all_shipped_tickets_are_valid_and_there_are_enough() -> None:
    assert len(load_tickets(SHIPPED)) >= 14


def test_shipped_tickets_tell_every_kind_of_story() -> None:
    steps = [step for ticket in load_tickets(SHIPPED).values() for step in ticket.steps]
    assert {step.record.outcome for step in steps if isinstance(step, Record)} == set(Outcome)
    assert any(isinstance(step, Race) for step in steps)
    assert any(isinstance(step, Say) and len(step.say.text.splitlines()) >= 400 for step in steps)
    assert any(ticket.keep_out_of_notes for ticket in load_tickets(SHIPPED).values())


RESERVED = [
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
RESERVED_NAMES = re.compile(r"(^|\.)(example(\.(com|net|org))?|test|invalid)$")


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.json")), ids=lambda file: file.stem)
def test_shipped_tickets_use_reserved_names_and_addresses_only(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    addresses = re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text) + re.findall(
        r"\b[0-9a-f]{1,4}:[0-9a-f:]*::[0-9a-f]*", text
    )
    strange = [a for a in addresses if not any(ipaddress.ip_address(a) in net for net in RESERVED)]
    hosts = re.findall(r"(?:https?://|@)([\w.-]*\w)", text)
    strange += [host for host in hosts if host not in addresses and not RESERVED_NAMES.search(host)]
    strange += [number for number in re.findall(r"\b555-\d{4}\b", text) if not number.startswith("555-01")]
    assert strange == []


def test_a_good_ticket_is_read_and_its_lines_are_joined(tmp_path: Path) -> None:
    ticket = read_ticket(written(tmp_path, json.dumps(GOOD)))
    assert ticket.intake == "first line\nsecond line"
    assert len(ticket.steps) == len(GOOD["steps"])


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


def test_missing_notes_may_be_the_point_of_a_step(tmp_path: Path) -> None:
    text = changed(
        lambda t: t["steps"][4].update(record={"fix": "port", "outcome": "applied_pending"}, expect=400)
    )
    assert read_ticket(written(tmp_path, text)).steps[4] == Record.model_validate_json(
        '{"record": {"fix": "port", "outcome": "applied_pending"}, "expect": 400}'
    )


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
