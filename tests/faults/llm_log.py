"""What the model was asked, as its stand-in wrote it down."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `about` is the same for two calls that ask for the same document of the same version."""

    at: float
    about: str
    account: str
    usd: float = 0.0


def write(path: Path, calls: Iterable[Call]) -> None:
    """One line for each call."""
    with path.open("wb") as out:
        for call in calls:
            out.write(orjson.dumps(asdict(call)) + b"\n")


def read(path: Path) -> tuple[Call, ...]:
    """The calls, in the order in which they came."""
    with path.open("rb") as file:
        return tuple(Call(**orjson.loads(line)) for line in file)
