"""How much of a list one answer holds: an answer travels in a message, and messages have their longest size."""

from collections.abc import Iterable
from typing import Any, Final

import orjson
from shared.contracts.topology import LONGEST_MESSAGE

LONGEST_PAGE: Final = LONGEST_MESSAGE // 2


def fitting(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of these that fit on a page; at least one."""
    room, shown = LONGEST_PAGE, list[dict[str, Any]]()
    for item in items:
        room -= len(orjson.dumps(item))
        if room < 0 and shown:
            break
        shown.append(item)
    return shown
