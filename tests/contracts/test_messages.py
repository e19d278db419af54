"""Each message reads and writes as its example does; new fields are ignored, new versions refused."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError
from shared.contracts import events
from shared.contracts.catalogue import ROUTES, Route
from shared.contracts.commands import Action, Command, CommandBatch
from shared.contracts.events import CloudEvent
from shared.contracts.examples import COMMAND_BATCH, EVENTS, QUERY_BATCH
from shared.contracts.queries import Query, QueryBatch, Record
from shared.contracts.text import Message
from shared.contracts.vocabulary import ActionKind

EVERY_ROUTE = pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
VERSIONED = [route for route in ROUTES.values() if "version" in route.model.model_fields]


def plain(message: Message) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(message.model_dump_json(by_alias=True))
    return entry


def with_strangers(value: Any) -> Any:
    """The same with a field in every object that no reader of this version knows."""
    if isinstance(value, dict):
        return {**{name: with_strangers(each) for name, each in value.items()}, "added_later": {"a": [1]}}
    return [with_strangers(each) for each in value] if isinstance(value, list) else value


@EVERY_ROUTE
def test_an_example_is_of_its_messages_model(route: Route) -> None:
    assert type(route.example) is route.model


@EVERY_ROUTE
def test_an_example_survives_the_wire(route: Route) -> None:
    written = route.example.model_dump_json(by_alias=True)
    assert route.model.model_validate_json(written) == route.example


@EVERY_ROUTE
def test_a_reader_ignores_what_it_does_not_know(route: Route) -> None:
    newer = with_strangers(plain(route.example))
    if issubclass(route.model, CloudEvent):
        newer["data"] = plain(route.example)["data"]  # the envelope hands it on as it is; see below
    read = route.model.model_validate(newer)
    if route.name != "answers":  # its body is handed on as it is, too
        assert read == route.example


@pytest.mark.parametrize("name", events.DATA)
def test_a_reader_of_an_events_data_ignores_what_it_does_not_know(name: str) -> None:
    model, data = events.DATA[name], plain(EVENTS[name])["data"]
    assert model.model_validate(with_strangers(data)) == model.model_validate(data)


@EVERY_ROUTE
def test_a_message_is_immutable(route: Route) -> None:
    field = next(iter(route.model.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(route.example, field, None)


@pytest.mark.parametrize("route", VERSIONED, ids=lambda route: route.name)
@pytest.mark.parametrize("version", [0, 2, "1.1", None])
def test_a_version_that_is_unknown_is_refused(route: Route, version: object) -> None:
    with pytest.raises(ValidationError, match="version"):
        route.model.model_validate({**plain(route.example), "version": version})


@EVERY_ROUTE
def test_every_message_says_its_version(route: Route) -> None:
    written = plain(route.example)
    assert written["type"].endswith(".v1") if route.data else written["version"] == 1


def test_every_kind_of_change_is_a_command() -> None:
    kinds = [model.model_fields["kind"].default for model in get_args(Action)]
    assert sorted(kinds) == sorted(ActionKind)


def test_no_two_questions_have_the_same_name() -> None:
    kinds = [model.model_fields["kind"].default for model in get_args(Record)]
    assert len(set(kinds)) == len(kinds) == len(get_args(Record))


@pytest.mark.parametrize(
    ("model", "field", "one"),
    [
        (CommandBatch, "commands", COMMAND_BATCH.commands[0]),
        (QueryBatch, "queries", QUERY_BATCH.queries[0]),
    ],
)
def test_a_batch_holds_1_to_128(model: type[BaseModel], field: str, one: Command | Query) -> None:
    assert len(getattr(model(**{field: (one,) * 128}), field)) == 128
    for many in (0, 129):
        with pytest.raises(ValidationError):
            model(**{field: (one,) * many})


def contained(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (inner for each in value.values() for inner in contained(each))
    elif isinstance(value, list):
        yield from (inner for each in value for inner in contained(each))
    else:
        yield value


@EVERY_ROUTE
def test_an_example_names_nobody_real(route: Route) -> None:
    for value in contained(plain(route.example)):
        if isinstance(value, str):
            assert "@" not in value
            assert "://" not in value or ".example" in value
