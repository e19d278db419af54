"""Ids: ordered by time where they are new, the same again where they come from a key."""

import time
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared.ids import keyed_id, new_id


def test_new_ids_are_uuids_of_version_7_and_never_the_same() -> None:
    ids = [new_id() for _ in range(1_000)]
    assert len(set(ids)) == 1_000
    assert {(each.version, each.variant) for each in ids} == {(7, RFC_4122)}


def test_an_id_begins_with_the_time_in_milliseconds() -> None:
    before, each, after = time.time_ns() // 1_000_000, new_id(), time.time_ns() // 1_000_000
    assert before <= each.int >> 80 <= after


@given(st.lists(st.integers(min_value=0, max_value=(1 << 48) - 1), min_size=2, unique=True))
def test_later_ids_are_greater(milliseconds: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        ids = []
        for each in sorted(milliseconds):
            patched.setattr(time, "time_ns", lambda each=each: each * 1_000_000 + 999_999)
            ids.append(new_id())
    assert ids == sorted(ids)
    assert [str(each) for each in ids] == sorted(map(str, ids))
    assert {each.version for each in ids} == {7}


@given(st.uuids(), st.text())
def test_a_key_stands_for_one_id(account: UUID, key: str) -> None:
    assert keyed_id(account, key) == keyed_id(UUID(str(account)), key)
    assert (keyed_id(account, key).version, keyed_id(account, key).variant) == (8, RFC_4122)


@given(st.uuids(), st.uuids(), st.text())
def test_the_same_key_of_two_accounts_stands_for_two_ids(one: UUID, other: UUID, key: str) -> None:
    assert (keyed_id(one, key) == keyed_id(other, key)) == (one == other)


@given(st.uuids(), st.text(), st.text())
def test_two_keys_stand_for_two_ids(account: UUID, one: str, other: str) -> None:
    assert (keyed_id(account, one) == keyed_id(account, other)) == (one == other)


def test_the_id_of_a_key_is_the_same_in_every_release() -> None:
    """Keys live for days: an id that changed with a release would carry the change out twice."""
    account = UUID("0192f000-0000-7000-8000-00000000000a")
    assert str(keyed_id(account, "retry-1")) == "18cb3870-11ce-80dc-9096-e0edf80d2f40"
