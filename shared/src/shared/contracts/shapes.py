"""The models of the messages as tables of fields, read from their JSON schemas."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.contracts.markdown import code, link, one_line, table

Schema = Mapping[str, Any]

_PREFIX: Final = "#/$defs/"
_BOUNDS: Final = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", ""),
)
_FORMATS: Final = {"uuid": "UUID", "date-time": "time"}


class Shapes:
    """The schemas of some models, and of everything that they contain."""

    def __init__(self, models: Iterable[type[BaseModel]]) -> None:
        self._models = {model.__name__ for model in models}
        _, schemas = models_json_schema(
            [(model, "serialization") for model in models], by_alias=True, ref_template=_PREFIX + "{model}"
        )
        self._definitions: Mapping[str, Schema] = schemas["$defs"]

    def fields(self, name: str) -> str:
        """A model's fields: name, type, meaning."""
        schema = self._definitions[name]
        required = schema.get("required", ())
        rows = (
            (
                code(field) + ("" if field in required else " (optional)"),
                kind(about),
                self.meaning(about),
            )
            for field, about in schema["properties"].items()
        )
        return table(("field", "type", "meaning"), rows)

    def meaning(self, field: Schema) -> str:
        """What a field says of itself, else what its type says."""
        own = field.get("description")
        return one_line(own or " ".join(self._said(name) for name in _references(field)) or _constant(field))

    def contained(self) -> Iterator[str]:
        """What the models contain, described once: a heading and a text for each."""
        for name, schema in sorted(self._definitions.items()):
            if name in self._models:
                continue
            about = one_line(schema.get("description"))
            if "enum" in schema:
                about += f"\n\nOne of {', '.join(map(code, schema['enum']))}."
            elif schema.get("properties"):
                about += f"\n\n{self.fields(name)}"
            yield f"### {name}\n\n{about.strip()}"

    def _said(self, name: str) -> str:
        return str(self._definitions[name].get("description", ""))


def kind(field: Schema) -> str:
    """A field's type, with its bounds."""
    options = [
        option for option in field.get("anyOf", field.get("oneOf", ())) if option.get("type") != "null"
    ]
    if options:
        nullable = len(options) < len(field.get("anyOf", options))
        return " or ".join(map(kind, options)) + (" or null" if nullable else "")
    if "const" in field:
        return code(_plain(field["const"]))
    if "$ref" in field:
        return link(field["$ref"].removeprefix(_PREFIX))
    bounds = ", ".join(_bounds(field))
    return f"{_basic(field)} ({bounds})" if bounds else _basic(field)


def _basic(field: Schema) -> str:
    if field.get("type") == "array":
        return f"list of {kind(field['items'])}"
    return _FORMATS.get(field.get("format", ""), str(field.get("type", "any JSON")))


def _bounds(field: Schema) -> Iterator[str]:
    for lowest, highest, unit in _BOUNDS:
        if lowest in field and highest in field:
            yield f"{field[lowest]} to {field[highest]}{unit}"
        elif lowest in field:
            yield f"at least {field[lowest]}{unit}"
        elif highest in field:
            yield f"at most {field[highest]}{unit}"
    if "pattern" in field:
        yield f"like {code(field['pattern'])}"


def _references(field: Schema) -> Iterator[str]:
    if "$ref" in field:
        yield field["$ref"].removeprefix(_PREFIX)
    for inner in (*field.get("anyOf", ()), *([field["items"]] if "items" in field else ())):
        yield from _references(inner)


def _constant(field: Schema) -> str:
    return "Says which of the alternatives this is" if "const" in field else ""


def _plain(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
