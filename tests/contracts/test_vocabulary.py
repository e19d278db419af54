"""Words and roles, literally as they were promised."""

import pytest
from shared.contracts import cache
from shared.contracts.examples import ACCOUNT, SESSION
from shared.contracts.vocabulary import (
    ALLOWED_ROLES,
    NOTES_REQUIRED,
    PARKED,
    TERMINAL,
    ActionKind,
    FixStatus,
    NoteKind,
    Outcome,
    Role,
    notes_missing,
)


def test_every_change_says_who_may_ask_for_it() -> None:
    assert set(ALLOWED_ROLES) == set(ActionKind)
    assert all(ALLOWED_ROLES.values())


def test_a_viewer_changes_nothing() -> None:
    assert not any(Role.VIEWER in roles for roles in ALLOWED_ROLES.values())


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.LEAD, Role.ADMIN])
def test_people_may_ask_for_every_change(role: Role) -> None:
    assert all(role in roles for roles in ALLOWED_ROLES.values())


def test_a_program_proposes_and_a_person_records() -> None:
    assert Role.SERVICE in ALLOWED_ROLES[ActionKind.PROPOSE_OUTCOME]
    assert Role.SERVICE not in ALLOWED_ROLES[ActionKind.RECORD_OUTCOME]


def test_outcomes_are_every_status_but_proposed() -> None:
    assert {str(outcome) for outcome in Outcome} == {str(status) for status in FixStatus} - {"proposed"}


def test_a_status_is_proposed_parked_or_terminal() -> None:
    assert {FixStatus.PROPOSED} | PARKED | TERMINAL == set(FixStatus)
    assert len(PARKED) + len(TERMINAL) + 1 == len(FixStatus)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("notes", [None, "", "   ", "\n\t"])
def test_parked_outcomes_alone_require_notes(outcome: Outcome, notes: str | None) -> None:
    assert notes_missing(outcome, notes) == (outcome in {"applied_pending", "applied_partial"})
    assert not notes_missing(outcome, "waiting on replication")
    assert notes_missing(outcome, None) == (outcome in NOTES_REQUIRED)


def test_keys_of_two_accounts_sessions_or_documents_never_meet() -> None:
    keys = {
        cache.note_key(account, session, kind)
        for account in (ACCOUNT, SESSION)
        for session in (ACCOUNT, SESSION)
        for kind in NoteKind
    }
    assert len(keys) == 8
    versions = {cache.lock_key(ACCOUNT, SESSION, NoteKind.RESOLUTION_NOTE, version) for version in (1, 11)}
    assert len(versions) == 2
