"""Server-sent events as a client reads them (WHATWG HTML, section 9.2: the part of it that the gateway writes)."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Frame:
    """One event: its name, its id where it has one, and its data."""

    event: str
    id: int | None
    data: dict[str, Any]


async def frames(lines: AsyncIterator[str]) -> AsyncIterator[Frame]:
    """Every event of these lines; comments, which show that the stream lives, are passed over."""
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if line and name in ("event", "id", "data"):
            fields[name] = value
        elif not line:
            if "data" in fields:
                number = int(fields["id"]) if "id" in fields else None
                yield Frame(fields["event"], number, json.loads(fields["data"]))
            fields = {}
