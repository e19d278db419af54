"""Messages of commands, sound and otherwise: nothing raises, no command is lost or doubled."""

import json
from typing import Any

import pytest
from fix_outcomes.reading import read_commands
from fix_outcomes_doubles import ACCOUNT, add_message, command, create_session
from hypothesis import given
from hypothesis import strategies as st
from shared.contracts.commands import Command, CommandBatch


def plain(one: Command) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(one.model_dump_json())
    return entry


def body(*entries: object, **members: object) -> bytes:
    return json.dumps({"version": 1, "commands": entries} | members).encode()


GOOD = [command(add_message(ACCOUNT, "läuft wieder ✓"), ref=number) for number in range(3)]


def test_a_sound_batch_is_read_as_it_was_written() -> None:
    written = CommandBatch(commands=tuple(GOOD)).model_dump_json().encode()
    assert read_commands(written) == (tuple(GOOD), ())


def test_fields_that_only_a_newer_version_knows_are_ignored() -> None:
    commands, malformed = read_commands(body(plain(GOOD[0]) | {"priority": 3}, hint="new"))
    assert (list(commands), malformed) == ([GOOD[0]], ())


BAD_ENTRIES = {
    "an unknown kind": plain(GOOD[0]) | {"action": {"kind": "drop_table"}},
    "no action": {name: value for name, value in plain(GOOD[0]).items() if name != "action"},
    "an id that is none": plain(GOOD[0]) | {"command_id": "1"},
    "a time without a zone": plain(GOOD[0]) | {"issued_at": "2026-11-02T09:30:00"},
    "an unknown role": plain(GOOD[0]) | {"actor": {"id": str(ACCOUNT), "role": "root"}},
    "pending without notes": plain(GOOD[0])
    | {
        "action": {
            "kind": "record_outcome",
            "session_id": str(ACCOUNT),
            "fix_id": str(ACCOUNT),
            "outcome": "applied_pending",
        }
    },
    "a text that Postgres cannot hold": plain(GOOD[0])
    | {"action": {"kind": "add_message", "session_id": str(ACCOUNT), "role": "client", "content": "a\0b"}},
    "half a character": plain(GOOD[0])
    | {"action": {"kind": "add_message", "session_id": str(ACCOUNT), "role": "client", "content": "\ud800"}},
    "null": None,
    "a number": 7,
    "a number that is none": float("nan"),
    "a list": [plain(GOOD[0])],
}


@pytest.mark.parametrize("name", BAD_ENTRIES)
def test_one_bad_command_does_not_harm_its_neighbours(name: str) -> None:
    commands, malformed = read_commands(body(plain(GOOD[0]), BAD_ENTRIES[name], plain(GOOD[1])))

    assert list(commands) == [GOOD[0], GOOD[1]]
    [bad] = malformed
    alone = json.loads(bad.body)
    assert alone["version"] == 1
    assert json.dumps(alone["commands"]) == json.dumps([BAD_ENTRIES[name]])


def test_what_is_parked_of_a_batch_is_malformed_again_when_it_is_replayed_unchanged() -> None:
    _, [bad] = read_commands(body(plain(GOOD[0]), BAD_ENTRIES["an unknown kind"]))
    commands, again = read_commands(bad.body)
    assert (list(commands), [each.reason for each in again]) == ([], [bad.reason])


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"not JSON",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"text"',
        body(),
        body(version=2),
        b"[" * 100_000,
        b'{"version":1,"commands":' + b"[" * 100_000,
        b'{"version":1,"commands":{}}',
        b'{"version":1}',
        b'{"version":1,"commands":[{]}',
        b'{"version":1,"commands":[' + b"9" * 5_000,
    ],
)
def test_a_message_that_holds_no_list_of_commands_is_malformed_as_a_whole(message: bytes) -> None:
    commands, malformed = read_commands(message)
    assert list(commands) == []
    assert [each.body for each in malformed] == [message]
    assert malformed[0].reason


def test_a_message_of_an_unknown_version_is_left_alone_whatever_is_in_it() -> None:
    message = body(plain(GOOD[0]), version=2)
    commands, malformed = read_commands(message)
    assert (list(commands), [each.body for each in malformed]) == ([], [message])


def test_more_commands_than_a_batch_may_hold_are_all_read() -> None:
    many = [command(create_session(), ref=number) for number in range(300)]
    commands, malformed = read_commands(body(*map(plain, many)))
    assert (list(commands), list(malformed)) == (many, [])


@pytest.mark.parametrize("name", BAD_ENTRIES)
def test_the_reason_repeats_nothing_that_people_wrote(name: str) -> None:
    entry = BAD_ENTRIES[name]
    if isinstance(entry, dict) and "action" in entry:
        entry = entry | {"fingerprint": "hunter2" * 20}
    _, malformed = read_commands(body(entry))
    assert "hunter2" not in malformed[0].reason
    assert len(malformed[0].reason) <= 200


@given(st.binary(max_size=300))
def test_any_bytes_are_either_commands_or_malformed(message: bytes) -> None:
    commands, malformed = read_commands(message)
    assert (list(commands), [each.body for each in malformed]) == ([], [message])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON, st.sampled_from([1, 2, "1", None]))
def test_any_json_is_either_commands_or_malformed(commands: object, version: object) -> None:
    for message in (commands, {"commands": commands}, {"version": version, "commands": commands}):
        written = json.dumps(message).encode()
        read, malformed = read_commands(written)
        assert list(read) == []
        assert malformed


ENTRIES = st.lists(
    st.sampled_from(["good", *BAD_ENTRIES]) | JSON.filter(lambda value: not isinstance(value, str)),
    min_size=1,
    max_size=20,
)


@given(ENTRIES)
def test_no_command_is_lost_or_doubled(entries: list[Any]) -> None:
    sent: list[Any] = []
    expected: list[Command] = []
    bad = 0
    for entry in entries:
        if entry == "good":
            expected.append(command(add_message(ACCOUNT), ref=len(expected)))
            sent.append(plain(expected[-1]))
        else:
            sent.append(BAD_ENTRIES[entry] if isinstance(entry, str) else entry)
            bad += 1

    commands, malformed = read_commands(body(*sent))

    assert list(commands) == expected
    assert len(malformed) == bad
