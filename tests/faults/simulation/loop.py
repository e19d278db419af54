"""An event loop without time: it jumps to whatever is next. The product's own coroutines run on it, in one thread.

What belongs to a simulated process carries that process in its context. So a process can die like one that is killed:
nothing of it runs any more, no `finally` and no `except`; and one that is stopped goes on where it was.
"""

import asyncio
import heapq
import itertools
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final, TypeVar

Result = TypeVar("Result")

_MOST_STEPS: Final = 1_000_000


class NeverEnds(AssertionError):
    """There is nothing more to do, or far too much, and what was waited for has not come."""


class Handle:
    """A callback that is to be called. asyncio's own does the same at three times the cost."""

    __slots__ = ("args", "callback", "context", "dead")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> None:
        self.callback, self.args = callback, args
        self.context = copy_context() if context is None else context
        self.dead = False

    def cancel(self) -> None:
        """It is not to be called any more."""
        self.dead = True

    def cancelled(self) -> bool:
        """Whether that was said."""
        return self.dead


class Process:
    """A simulated operating-system process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.paused = False
        self.held: list[Handle] = []

    def __repr__(self) -> str:
        return self.name


_process: Final[ContextVar[Process | None]] = ContextVar("process", default=None)


def here() -> Process | None:
    """The process that is running; none: the world around them."""
    return _process.get()


class VirtualLoop(asyncio.AbstractEventLoop):
    """What asyncio needs of a loop, without sockets, signals and threads: anything else is not implemented."""

    def __init__(self) -> None:
        self._ready: deque[Handle] = deque()
        self._timers: list[tuple[float, int, Handle]] = []
        self._order = itertools.count()
        self._now = 0.0
        self._tasks: list[asyncio.Task[Any]] = []
        self.complaints: list[str] = []

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, Result], *, name: str | None = None, context: Context | None = None
    ) -> "asyncio.Task[Result]":
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks.append(task)
        return task

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        handle = Handle(callback, args, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        handle = Handle(callback, args, context)
        heapq.heappush(self._timers, (when, next(self._order), handle))
        return handle

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What asyncio would log."""
        self.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    def start(self, process: Process, main: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        """Run something as a process."""
        context = Context()
        context.run(_process.set, process)
        return self.create_task(main, context=context)

    def resume(self, process: Process) -> None:
        """Let a stopped process go on where it was."""
        process.paused = False
        self._ready.extend(process.held)
        process.held.clear()

    def run(self, main: Coroutine[Any, Any, Result]) -> Result:
        """Run until `main` has ended. Raises NeverEnds."""
        events._set_running_loop(self)
        try:
            task = self.create_task(main)
            for _ in range(_MOST_STEPS):
                if task.done():
                    return task.result()
                self._step()
            raise NeverEnds(
                f"{_MOST_STEPS} steps, and no end at {self._now:.1f} s; ready: {list(self._ready)[:5]}"
            )
        finally:
            self._dispose()
            events._set_running_loop(None)

    def _dispose(self) -> None:
        """What still waits will never go on. Its `finally` blocks run now, where they can do nothing any more."""
        for task in self._tasks:
            if task.done():
                continue
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            with suppress(RuntimeError):  # one that waits in its `finally`
                task.get_coro().close()
        for remains in (self._tasks, self._timers, self._ready):
            remains.clear()

    def _step(self) -> None:
        while not self._ready:
            if not self._timers:
                raise NeverEnds("everything waits for something that nobody does")
            when, _, timer = heapq.heappop(self._timers)
            if not timer.dead:
                self._now = max(self._now, when)
                self._ready.append(timer)
        handle = self._ready.popleft()
        process = handle.context.get(_process)
        if handle.dead or (process is not None and not process.alive):
            return
        if process is not None and process.paused:
            process.held.append(handle)
            return
        try:
            handle.context.run(handle.callback, *handle.args)
        except Exception as error:
            self.call_exception_handler({"message": f"{handle.callback} raised", "exception": error})
