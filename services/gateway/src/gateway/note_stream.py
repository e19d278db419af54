"""A preview as it comes about: signs of progress, the text as far as it has passed the checks, the whole document.

What stood and turned out to be wrong is taken back with `replaced`, and the right text follows.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final

from shared.contracts.answers import Answer
from shared.contracts.views import NoteSoFar
from starlette.responses import StreamingResponse

from gateway.problems import Problem
from gateway.updates import frame

_OK: Final = 200
_LOOK_S: Final = 0.2
_TICK_S: Final = 1.0
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}

Look = Callable[[], Awaitable[NoteSoFar | None]]
"""What may be shown by now of the note that is being written."""


def streamed(
    asked: Awaitable[Answer], *, look: Look, from_cache: bool, state_version: int
) -> StreamingResponse:
    """The answer as server-sent events: `progress`, `text`, `replaced` where that has to go, `document`."""
    events = _events(asked, look, from_cache=from_cache, state_version=state_version)
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


class _Told:
    """What the client shows by now."""

    def __init__(self) -> None:
        self._text = ""

    def frames(self, text: str, reasons: tuple[str, ...], *, replaced: bool = False) -> Iterator[bytes]:
        """What brings the client from there to this text."""
        if replaced or not text.startswith(self._text):
            self._text = ""
            yield _frame("replaced", warnings=reasons)
        if len(text) > len(self._text):
            yield _frame("text", text=text[len(self._text) :])
            self._text = text


async def _events(
    asked: Awaitable[Answer], look: Look, *, from_cache: bool, state_version: int
) -> AsyncIterator[bytes]:
    waiting, told = asyncio.ensure_future(asked), _Told()
    loop = asyncio.get_running_loop()
    began = ticked = loop.time()
    try:
        yield _frame("progress", stage="writing", state_version=state_version, seconds=0)
        while not (await asyncio.wait({waiting}, timeout=_LOOK_S))[0]:
            so_far = await look()
            if so_far is not None:
                for each in told.frames(so_far.text, so_far.replaced):
                    yield each
            if loop.time() - ticked >= _TICK_S:
                ticked = loop.time()
                yield _frame(
                    "progress", stage="writing", state_version=state_version, seconds=round(ticked - began)
                )
        for each in _ending(waiting, told, from_cache=from_cache):
            yield each
    finally:
        waiting.cancel()


def _ending(answered: "asyncio.Future[Answer]", told: _Told, *, from_cache: bool) -> Iterator[bytes]:
    try:
        answer = answered.result()
    except Problem as problem:
        yield from _failed(told, problem.code, problem.detail)
        return
    if answer.status != _OK:
        yield from _failed(told, answer.body["code"], answer.body["detail"])
        return
    note = {name: value for name, value in answer.body.items() if name not in {"session_id", "kind"}}
    yield from told.frames(note["markdown"], tuple(note["warnings"]), replaced=note["degraded"])
    yield _frame("document", **note, from_cache=from_cache)


def _failed(told: _Told, code: str, detail: str) -> Iterator[bytes]:
    yield from told.frames("", (detail,))
    yield _frame("problem", code=code, detail=detail)


def _frame(event: str, **data: Any) -> bytes:
    return frame(event=event, data=data)
