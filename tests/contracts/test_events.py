"""Events are CloudEvents 1.0 with the attributes that PSA tools were promised."""

import re

import pytest
from pydantic import ValidationError
from shared.contracts import events
from shared.contracts.catalogue import ROUTES
from shared.contracts.events import CONTENT_TYPE, CloudEvent, NoteRegenerated
from shared.contracts.examples import ACCOUNT, EVENTS, FIX, ROUTING_KEYS, SESSION

PROMISED = {
    "session.created",
    "session.message_added",
    "session.fact_confirmed",
    "session.resolved",
    "session.escalated",
    "fix.suggested",
    "fix.applied",
    "fix.outcome_recorded",
    "fix.outcome_proposed",
    "fix.outcome_proposal_cleared",
    "note.regenerated",
}
CHANGES = PROMISED - {"note.regenerated"}

EVERY_EVENT = pytest.mark.parametrize("name", sorted(PROMISED))
EVERY_CHANGE = pytest.mark.parametrize("name", sorted(CHANGES))


def test_there_are_exactly_the_promised_events() -> None:
    assert set(events.DATA) == set(EVENTS) == PROMISED


@EVERY_EVENT
def test_an_event_is_a_cloudevent_in_structured_json(name: str) -> None:
    event = EVENTS[name]
    assert event.specversion == "1.0"
    assert event.datacontenttype == "application/json"
    assert ROUTES[f"event {name}"].content_type == CONTENT_TYPE == "application/cloudevents+json"


@EVERY_EVENT
def test_its_type_names_noun_verb_and_version(name: str) -> None:
    assert EVENTS[name].type == events.type_of(name) == f"com.resolutionflow.{name}.v1"
    assert events.name_of(EVENTS[name].type) == name


@EVERY_EVENT
def test_its_source_is_the_session(name: str) -> None:
    assert EVENTS[name].source == f"/accounts/{ACCOUNT}/ai-sessions/{SESSION}"


@EVERY_EVENT
def test_its_subject_is_the_fix_that_it_is_about(name: str) -> None:
    expected = f"suggested-fixes/{FIX}" if name.startswith("fix.") else None
    assert EVENTS[name].subject == expected


@EVERY_EVENT
def test_its_routing_key_is_account_session_noun_verb(name: str) -> None:
    assert ROUTING_KEYS[name] == f"{ACCOUNT}.{SESSION}.{name}"
    template = ROUTES[f"event {name}"].routing_key
    assert (
        template.replace("<account_id>", str(ACCOUNT)).replace("<session_id>", str(SESSION))
        == ROUTING_KEYS[name]
    )


@EVERY_EVENT
def test_its_data_says_whose_it_is_and_which_version(name: str) -> None:
    data = EVENTS[name].data
    assert (data["account_id"], data["session_id"]) == (str(ACCOUNT), str(SESSION))
    assert isinstance(data["state_version"], int)


@EVERY_CHANGE
def test_a_change_has_a_sequence_of_20_digits_that_its_id_names(name: str) -> None:
    event = EVENTS[name]
    assert event.sequence is not None
    assert re.fullmatch(r"\d{20}", event.sequence)
    assert event.id == f"{SESSION}/{int(event.sequence)}"


@EVERY_CHANGE
def test_a_change_names_its_actor_and_its_command(name: str) -> None:
    assert {"id", "name", "role"} <= EVENTS[name].data["actor"].keys()
    assert EVENTS[name].data["command_id"]


def test_an_outcome_tells_from_to_and_the_columns_of_notes() -> None:
    told = EVENTS["fix.outcome_recorded"].data.keys()
    assert {"fix_id", "from", "to", "pending_reason", "partial_notes", "failure_reason"} <= told
    assert {"applied_at", "verified_at", "cleared_proposal", "actor", "state_version"} <= told


def test_a_suggestion_names_what_it_replaced() -> None:
    assert EVENTS["fix.suggested"].data["supersedes"]


def test_a_regenerated_note_is_no_change() -> None:
    event = EVENTS["note.regenerated"]
    assert event.sequence is None
    assert "sequence" not in event.model_dump(mode="json", exclude_none=True)
    assert event.id == f"{SESSION}/{event.data['kind']}/{event.data['state_version']}"
    assert not issubclass(NoteRegenerated, events.Change)


@pytest.mark.parametrize("sequence", ["12", 12, f"{12:021}", f"{12:019}", "-0000000000000000012", ""])
def test_a_sequence_that_does_not_sort_as_text_is_refused(sequence: object) -> None:
    with pytest.raises(ValidationError, match="sequence"):
        CloudEvent.model_validate({**EVENTS["fix.applied"].model_dump(), "sequence": sequence})


@pytest.mark.parametrize(
    "kind", ["com.resolutionflow.fix.applied.v2", "fix.applied", "com.example.fix.applied.v1"]
)
def test_a_type_of_another_version_or_product_is_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match="type"):
        CloudEvent.model_validate({**EVENTS["fix.applied"].model_dump(), "type": kind})
