"""A preview as it comes about: signs of progress, then the text that passed the checks, then the whole document.

Nothing is sent of a text before it has passed: what was refused is named in `replaced`, and never shown.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Final

from shared.contracts.answers import Answer
from starlette.responses import StreamingResponse

from gateway.problems import Problem
from gateway.updates import frame

_OK: Final = 200
_TICK_S: Final = 1.0
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


def streamed(asked: Awaitable[Answer], *, from_cache: bool, state_version: int) -> StreamingResponse:
    """The answer as server-sent events: `progress`, `replaced` where the template wrote, `text`, `document`."""
    events = _events(asked, from_cache=from_cache, state_version=state_version)
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


async def _events(asked: Awaitable[Answer], *, from_cache: bool, state_version: int) -> AsyncIterator[bytes]:
    waiting = asyncio.ensure_future(asked)
    seconds = 0
    try:
        while True:
            yield _frame("progress", stage="writing", state_version=state_version, seconds=seconds)
            done, _ = await asyncio.wait({waiting}, timeout=_TICK_S)
            if done:
                break
            seconds += 1
        for event in _ending(waiting, from_cache=from_cache):
            yield event
    finally:
        waiting.cancel()


def _ending(answered: "asyncio.Future[Answer]", *, from_cache: bool) -> list[bytes]:
    try:
        answer = answered.result()
    except Problem as problem:
        return [_frame("problem", code=problem.code, detail=problem.detail)]
    if answer.status != _OK:
        return [_frame("problem", code=answer.body.get("code"), detail=answer.body.get("detail"))]
    note = {name: value for name, value in answer.body.items() if name not in {"session_id", "kind"}}
    replaced = [_frame("replaced", warnings=note["warnings"])] if note["degraded"] else []
    texts = [_frame("text", text=part) for part in _sections(note["markdown"])]
    return [*replaced, *texts, _frame("document", **note, from_cache=from_cache)]


def _sections(markdown: str) -> list[str]:
    first, *rest = markdown.split("\n## ")
    return [first, *(f"\n## {section}" for section in rest)]


def _frame(event: str, **data: Any) -> bytes:
    return frame(event=event, data=data)
