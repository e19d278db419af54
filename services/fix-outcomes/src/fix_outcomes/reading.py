"""Reading a message of commands: as a whole where it is sound, else each command that can be read."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from pydantic import TypeAdapter, ValidationError
from shared.contracts.commands import Command, CommandBatch

_BATCH = TypeAdapter(CommandBatch)
_COMMAND = TypeAdapter(Command)


@dataclass(frozen=True, slots=True)
class Malformed:
    """What can never be handled: the bytes to park, and why, without what people wrote."""

    body: bytes
    reason: str


def read_commands(body: bytes) -> tuple[Sequence[Command], Sequence[Malformed]]:
    """The commands of a message, and what of it is malformed. One bad command does not harm its neighbours."""
    try:
        return _BATCH.validate_json(body).commands, ()
    except ValidationError as error:
        return _read_apart(body, _words(error))


def _read_apart(body: bytes, reason: str) -> tuple[Sequence[Command], Sequence[Malformed]]:
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return (), (Malformed(body, "not JSON"),)
    entries = message.get("commands") if isinstance(message, dict) and message.get("version") == 1 else None
    if not isinstance(entries, list) or not entries:
        return (), (Malformed(body, reason),)
    commands: list[Command] = []
    malformed: list[Malformed] = []
    for entry in entries:
        alone = orjson.dumps({"version": 1, "commands": [entry]})
        try:
            commands.append(_COMMAND.validate_json(orjson.dumps(entry)))
        except ValidationError as error:
            malformed.append(Malformed(alone, _words(error)))
    return commands, malformed


def _words(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['type']}"[:200]
