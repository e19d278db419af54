"""Reading a message of commands: as a whole where it is sound, else each command that can be read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from shared.contracts.commands import Command, CommandBatch

from fix_outcomes.storage.commands import Named

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


def read_names(body: bytes) -> list[Named]:
    """Which commands a message holds, malformed ones too, as far as they name themselves and their account."""
    try:
        entries = json.loads(body.decode())["commands"]
        return [name for entry in entries if (name := _name(entry)) is not None]
    except (ValueError, RecursionError, KeyError, TypeError):
        return []


def _name(entry: Any) -> Named | None:
    try:
        return Named(UUID(entry["command_id"]), UUID(entry["account_id"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _read_apart(body: bytes, reason: str) -> tuple[Sequence[Command], Sequence[Malformed]]:
    """The lenient parser of the standard library: half a character or a NaN spoils one command, not its batch."""
    try:
        message = json.loads(body.decode())
        entries = (
            message.get("commands") if isinstance(message, dict) and message.get("version") == 1 else None
        )
        written = [json.dumps(entry).encode() for entry in entries] if isinstance(entries, list) else []
    except (ValueError, RecursionError):
        return (), (Malformed(body, "not JSON"),)
    if not written:
        return (), (Malformed(body, reason),)
    commands: list[Command] = []
    malformed: list[Malformed] = []
    for entry in written:
        try:
            commands.append(_COMMAND.validate_json(entry))
        except ValidationError as error:
            malformed.append(Malformed(b'{"version":1,"commands":[%b]}' % entry, _words(error)))
    return commands, malformed


def _words(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['type']}"[:200]
