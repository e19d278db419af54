"""The catalogue of messages as an AsyncAPI 3.0 document, made from the models themselves."""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from shared.contracts import events
from shared.contracts.catalogue import ROUTES, Route
from shared.contracts.text import Message

_DESCRIPTION = """\
What the services of ResolutionFlow tell each other, and what a PSA tool may subscribe to.
Events are CloudEvents 1.0 on the topic exchange `rf.events`; a PSA tool binds `<its account>.#` to a queue of its own.
At least once, in order per session: drop what has a `sequence` that you have seen.
"""
_SCHEMAS = "#/components/schemas/"


def document(*, version: str) -> dict[str, Any]:
    """The AsyncAPI document, as plain JSON."""
    models = sorted(
        {model for route in ROUTES.values() for model in _models(route)}, key=lambda m: m.__name__
    )
    references, definitions = models_json_schema(
        [(model, "serialization") for model in models], by_alias=True, ref_template=_SCHEMAS + "{model}"
    )
    schemas = {model: references[model, "serialization"] for model in models}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "ResolutionFlow messages", "version": version, "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {_key(route): _channel(route) for route in ROUTES.values()},
        "operations": dict(
            entry
            for route in ROUTES.values()
            for entry in (*_operations(route, "send"), *_operations(route, "receive"))
        ),
        "components": {
            "messages": {_key(route): _message(route, schemas) for route in ROUTES.values()},
            "schemas": definitions["$defs"],
        },
    }


def _models(route: Route) -> tuple[type[Message], ...]:
    return (route.model, route.data) if route.data else (route.model,)


def _key(route: Route) -> str:
    """Names in an AsyncAPI document have letters, digits, dots, dashes and underscores alone."""
    return route.name.replace(" ", "-")


def _channel(route: Route) -> dict[str, Any]:
    """Where it travels. AsyncAPI calls a routing key an address; `{…}` are its parameters."""
    address = route.routing_key.replace("<", "{").replace(">", "}")
    parameters: dict[str, dict[str, str]] = {part.split("}")[0]: {} for part in address.split("{")[1:]}
    return {
        "address": address,
        "messages": {_key(route): {"$ref": f"#/components/messages/{_key(route)}"}},
        **({"parameters": parameters} if parameters else {}),
        "bindings": {"amqp": _binding(route)},
    }


def _binding(route: Route) -> dict[str, Any]:
    kind = "topic" if route.data else "direct"
    exchange = {"name": route.exchange, "type": kind, "durable": True, "autoDelete": False}
    return {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}


def _operations(route: Route, action: str) -> list[tuple[str, dict[str, Any]]]:
    channel = f"#/channels/{_key(route)}"
    parties = route.producers if action == "send" else route.consumers
    return [
        (
            f"{str(party).replace(' ', '-')}.{action}.{_key(route)}",
            {
                "action": action,
                "channel": {"$ref": channel},
                "messages": [{"$ref": f"{channel}/messages/{_key(route)}"}],
                "tags": [{"name": str(party)}],
            },
        )
        for party in parties
    ]


def _message(route: Route, schemas: Mapping[type[Message], Any]) -> dict[str, Any]:
    return {
        "name": route.name,
        "title": (route.data or route.model).__name__,
        "summary": (route.data or route.model).__doc__,
        "contentType": route.content_type,
        "payload": _payload(route, schemas),
        "examples": [{"payload": route.example.model_dump(mode="json", by_alias=True, exclude_none=True)}],
    }


def _payload(route: Route, schemas: Mapping[type[Message], Any]) -> Any:
    """An event's envelope, narrowed to its type and its data."""
    if route.data is None:
        return schemas[route.model]
    name = route.name.removeprefix("event ")
    narrowed = {
        "type": "object",
        "properties": {"type": {"const": events.type_of(name)}, "data": schemas[route.data]},
    }
    return {"allOf": [schemas[route.model], narrowed]}
