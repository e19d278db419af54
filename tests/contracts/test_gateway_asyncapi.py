"""`/asyncapi` describes every message of the catalogue, and nothing in it points nowhere."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from shared.contracts import asyncapi
from shared.contracts.catalogue import ROUTES


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    described = asyncapi.document(version="1.2.3")
    plain: dict[str, Any] = json.loads(json.dumps(described))
    return plain


def test_it_is_asyncapi_3_of_this_version(document: dict[str, Any]) -> None:
    assert (document["asyncapi"], document["info"]["version"]) == ("3.0.0", "1.2.3")


def test_every_route_is_a_channel_with_its_message(document: dict[str, Any]) -> None:
    keys = {name.replace(" ", "-") for name in ROUTES}
    assert document["channels"].keys() == keys
    assert document["components"]["messages"].keys() == keys


def test_every_producer_sends_and_every_consumer_receives(document: dict[str, Any]) -> None:
    parties = sum(len(route.producers) + len(route.consumers) for route in ROUTES.values())
    assert len(document["operations"]) == parties


def test_every_reference_points_at_something(document: dict[str, Any]) -> None:
    references = list(_references(document))
    assert references
    for reference in references:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in place, reference
            place = place[part]


def test_every_parameter_of_an_address_is_declared(document: dict[str, Any]) -> None:
    for channel in document["channels"].values():
        named = {part.split("}")[0] for part in channel["address"].split("{")[1:]}
        assert set(channel.get("parameters", {})) == named


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
