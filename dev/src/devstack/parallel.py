"""Does one thing to several processes at once: starting three servers then takes as long as the slowest."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def together(items: Iterable[Item], work: Callable[[Item], None]) -> None:
    """Run `work` on all items at once; raises the first failure after all have come to an end."""
    with ThreadPoolExecutor() as executor:
        tasks = [executor.submit(work, item) for item in items]
    for task in tasks:
        task.result()
