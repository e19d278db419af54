"""Reads a folder of tickets. Whatever is wrong in it is found before anything is sent, all of it at once."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails
from shared.contracts.vocabulary import notes_missing

from devstack.ticket_format import AnyStep, Apply, Propose, Race, Record, Reject, Say, Suggest, Ticket


@dataclass(frozen=True)
class Mistake:
    """One thing to mend: the file (or folder), the field (`steps[3].record.notes`) or line, and why."""

    file: str
    field: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.field, self.message) if part)


class InvalidTicketsError(Exception):
    """The folder cannot be played; `mistakes` lists every reason."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def load_tickets(folder: Path) -> Mapping[str, Ticket]:
    """Return the tickets of `folder/*.json` by file name without `.json`, in the order of their names.

    Raises InvalidTicketsError with all mistakes of all files.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise InvalidTicketsError((Mistake(str(folder), "", _why_empty(folder)),))
    tickets: dict[str, Ticket] = {}
    mistakes: list[Mistake] = []
    for file in files:
        try:
            tickets[file.stem] = read_ticket(file)
        except InvalidTicketsError as error:
            mistakes.extend(error.mistakes)
    if mistakes:
        raise InvalidTicketsError(tuple(mistakes))
    return tickets


def read_ticket(file: Path) -> Ticket:
    """Return the ticket in `file`, or raise InvalidTicketsError with everything that is wrong in it."""
    try:
        text = file.read_text(encoding="utf-8")
        json.loads(text, object_pairs_hook=_without_repeats)
        ticket = Ticket.model_validate_json(text)
    except OSError as error:
        raise _invalid(file, ("", f"cannot be read: {error.strerror}")) from error
    except UnicodeDecodeError as error:
        raise _invalid(file, (f"byte {error.start}", "is not UTF-8")) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise _invalid(file, (place, f"is not JSON: {error.msg}")) from error
    except _RepeatedFieldError as error:
        raise _invalid(file, (str(error), "stands twice in one object")) from error
    except RecursionError as error:
        raise _invalid(file, ("", "is nested too deeply")) from error
    except ValidationError as error:
        raise _invalid(file, *_mistakes(error)) from error
    loose_ends = tuple(_loose_ends(ticket))
    if loose_ends:
        raise _invalid(file, *loose_ends)
    return ticket


class _RepeatedFieldError(Exception):
    """JSON would silently keep the last one."""


def _without_repeats(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    fields: dict[str, JsonValue] = {}
    for name, value in pairs:
        if name in fields:
            raise _RepeatedFieldError(f"'{name}'")
        fields[name] = value
    return fields


def _invalid(file: Path, *mistakes: tuple[str, str]) -> InvalidTicketsError:
    return InvalidTicketsError(tuple(Mistake(file.name, field, message) for field, message in mistakes))


def _why_empty(folder: Path) -> str:
    if not folder.exists():
        return "there is no such folder"
    return "holds no *.json file" if folder.is_dir() else "is not a folder"


def _mistakes(error: ValidationError) -> Iterator[tuple[str, str]]:
    details = error.errors()
    for detail in details:
        place = detail["loc"]
        # A list of nothing but faulty items counts as too short besides; the items are what must be mended.
        if detail["type"] == "too_short" and any(
            d["loc"][: len(place)] == place != d["loc"] for d in details
        ):
            continue
        yield _path(place), _words(detail)


def _path(location: tuple[int | str, ...]) -> str:
    if location[:1] == ("steps",):  # pydantic names the kind of step too: steps, 3, record, record, notes
        location = location[:2] + location[3:]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return path.removeprefix(".")


def _words(error: ErrorDetails) -> str:
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is not known here"
        case "too_short":
            return f"needs at least {error['ctx']['min_length']}, has {error['ctx']['actual_length']}"
        case _:
            return error["msg"].removeprefix("Input ").removeprefix("String ").replace("should", "must", 1)


def _loose_ends(ticket: Ticket) -> Iterator[tuple[str, str]]:
    """Yield what no field can show by itself, as path and message."""
    yield from _unknown_fixes(ticket)
    yield from _unsaid_quotes(ticket)
    for number, step in enumerate(ticket.steps):
        if isinstance(step, Record) and step.expect is None and _needs_notes(step):
            yield f"steps[{number}].record.notes", f"are required for {step.record.outcome} (or expect 400)"


def _needs_notes(step: Record) -> bool:
    return notes_missing(step.record.outcome, step.record.notes)


def _unknown_fixes(ticket: Ticket) -> Iterator[tuple[str, str]]:
    fixes: set[str] = set()
    for number, step in enumerate(ticket.steps):
        for field, fix in _fixes_named(step):
            if fix not in fixes:
                yield f"steps[{number}].{field}", f"no step before this one suggests a fix named '{fix}'"
        if isinstance(step, Suggest):
            if step.suggest.name in fixes:
                yield f"steps[{number}].suggest.name", f"'{step.suggest.name}' is taken by an earlier fix"
            fixes.update([step.suggest.name] if step.expect is None else [])
    for fix in sorted(set(ticket.ends_as.fixes if ticket.ends_as else ()) - fixes):
        yield f"ends_as.fixes.{fix}", f"no step suggests a fix named '{fix}'"


def _fixes_named(step: AnyStep) -> Iterator[tuple[str, str]]:
    match step:
        case Apply(apply=fix):
            yield "apply", fix
        case Reject(reject=fix):
            yield "reject", fix
        case Record(record=verdict):
            yield "record.fix", verdict.fix
        case Propose(propose=guess):
            yield "propose.fix", guess.fix
        case Race(race=records):
            yield "race[0].record.fix", records[0].record.fix


def _unsaid_quotes(ticket: Ticket) -> Iterator[tuple[str, str]]:
    said: list[str] = []
    for number, step in enumerate(ticket.steps):
        if isinstance(step, Say) and step.expect is None:
            said.append(step.say.text)
        if isinstance(step, Propose):
            for index, quote in enumerate(step.propose.evidence):
                if not any(quote in text for text in said):
                    yield f"steps[{number}].propose.evidence[{index}]", "quotes what nobody said before"
