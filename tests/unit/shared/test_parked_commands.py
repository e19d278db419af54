"""What an operator sees of parked messages, and what `--all` means."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from shared.parked import Parked, ParkingLot
from shared.parked_cli import age_of, commands
from typer.testing import CliRunner, Result


class Lot(ParkingLot):
    """A parking queue without a broker."""

    def __init__(self, *messages: Parked) -> None:
        self.messages = list(messages)

    async def look(self) -> list[Parked]:
        return list(self.messages)

    async def replay(self, wanted: Callable[[Parked], bool]) -> list[Parked]:
        return await self.discard(wanted)

    async def discard(self, wanted: Callable[[Parked], bool]) -> list[Parked]:
        gone = [each for each in self.messages if wanted(each)]
        self.messages = [each for each in self.messages if each not in gone]
        return gone


def parked(id_: str, reason: str = "CheckViolation", *, strange: bool = False) -> Parked:
    return Parked(
        id=id_,
        reason=reason,
        attempts=4,
        parked_at=datetime.now(UTC) - timedelta(hours=3, minutes=20),
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        published_by="gateway",
        body=b'{"commands": []}',
        strange=strange,
    )


def asked(lot: Lot, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(commands(lambda: lot), list(arguments), input=typed)


def test_a_line_says_why_how_often_since_when_and_in_which_trace() -> None:
    shown = asked(Lot(parked("one")), "list").output
    assert shown.splitlines() == [
        "one  attempts 4  age 3h20m  trace 4bf92f3577b34da6a3ce929d0e0e4736  from gateway  CheckViolation",
        "1 parked",
    ]


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(0.4, "0s"), (59.9, "59s"), (60, "1m"), (3_599, "59m"), (3_600, "1h0m"), (183_600, "2d3h"), (-1, "0s")],
)
def test_an_age_is_as_exact_as_one_wants_it(seconds: float, age: str) -> None:
    assert age_of(seconds) == age


def test_all_replays_everything_but_what_a_stranger_published() -> None:
    lot = Lot(parked("one"), parked("strange", strange=True))
    done = asked(lot, "replay", "--all")
    assert done.exit_code == 0
    assert "1 replayed" in done.output
    assert "strange was published by somebody who may not" in done.output
    assert [each.id for each in lot.messages] == ["strange"]


def test_what_a_stranger_published_is_replayed_by_its_id() -> None:
    lot = Lot(parked("strange", strange=True))
    assert asked(lot, "replay", "strange").exit_code == 0
    assert lot.messages == []


def test_an_id_that_is_not_there_is_an_error_that_says_where_to_look() -> None:
    done = asked(Lot(parked("one")), "replay", "one", "two")
    assert done.exit_code == 1
    assert "1 replayed" in done.output
    assert "there is no parked message two: `parked list` shows" in done.output


@pytest.mark.parametrize("command", ["show", "replay", "discard"])
def test_who_names_nothing_is_told_so(command: str) -> None:
    done = asked(Lot(parked("one")), command)
    assert done.exit_code == 2
    assert "name at least one id, or --all" in done.output


def test_everything_is_thrown_away_only_by_who_says_yes() -> None:
    lot = Lot(parked("one"), parked("two"))
    assert asked(lot, "discard", "--all", typed="n\n").exit_code == 1
    assert len(asyncio.run(lot.look())) == 2
    assert asked(lot, "discard", "--all", typed="y\n").exit_code == 0
    assert lot.messages == []


def test_everything_can_be_shown() -> None:
    shown = asked(Lot(parked("one"), parked("two")), "show", "--all").output
    assert shown.count('"commands": []') == 2
