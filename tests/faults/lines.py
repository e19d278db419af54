"""What a run leaves in its folder: a line of JSON for each thing, in the order in which they came."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import orjson

Item = TypeVar("Item")


def write(path: Path, items: Iterable[Any]) -> None:
    """One line for each of these dataclasses."""
    with path.open("wb") as out:
        for each in items:
            out.write(orjson.dumps(asdict(each)) + b"\n")


def read(path: Path, kind: type[Item]) -> tuple[Item, ...]:
    """All of them again."""
    with path.open("rb") as file:
        return tuple(kind(**orjson.loads(line)) for line in file)
