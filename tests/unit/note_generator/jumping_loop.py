"""An event loop whose clock jumps, for coroutines that wait for nothing but time and each other."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer whenever there is nothing else to do."""

    def __init__(self) -> None:
        super().__init__()
        self._at = 0.0

    def time(self) -> float:
        return self._at

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._at = max(self._at, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def on_a_jumping_clock(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that takes no time, however long it lets things wait."""

    @functools.wraps(test)
    def run(*given: Any, **named: Any) -> None:
        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(test(*given, **named))

    return run
