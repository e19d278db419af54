"""Named points between two steps, where crash tests stop the process."""

from collections.abc import Awaitable, Callable

Checkpoint = Callable[[str], Awaitable[None]]


async def no_checkpoint(_name: str) -> None:
    """In production nothing happens there."""
