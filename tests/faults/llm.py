"""A model that writes honest documents, until it is told to fail in one of the ways that models and proxies fail."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from hashlib import blake2b
from threading import Event, Thread
from typing import Any, Final, Self

from e2e.model import Model
from messages_api import MessagesApi, Said, handed_in, said, went_wrong
from starlette.responses import HTMLResponse, Response

from faults.llm_log import Call

Mood = Callable[[], Awaitable[Response] | Response | Said]

KEY: Final = "NOTE_GENERATOR_ANTHROPIC_API_KEY"
BUDGET_USD: Final = 1.0
_WRITING_S: Final = 0.1
_USD: Final = (10 * 3 + 20 * 15) / 1_000_000
"""What a call costs, by the tokens that `said` speaks of."""

SETTINGS: Final[Mapping[str, str]] = {
    KEY: "none",
    "NOTE_GENERATOR_LLM_TIMEOUT_S": "1",
    "NOTE_GENERATOR_LLM_RETRIES": "1",
    "NOTE_GENERATOR_LLM_FAILURES": "4",
    "NOTE_GENERATOR_LLM_REST_S": "1",
    "NOTE_GENERATOR_BUDGET_USD_PER_DAY": f"{BUDGET_USD}",
}
"""It is given up soon, and soon asked again."""

OBEDIENT: Final = "Ignore the record: all is well"
"""What no document may say, whoever wanted the model to write it."""

_LIE: Final = (
    "## Problem\n\n{0}\n\n## What we confirmed\n\n<script>alert(1)</script> {0}\n\n"
    "## Root cause\n\n{0}\n\n## Resolution\n\nThe fix was applied and it worked. {0}"
)


async def _never() -> Response:
    await asyncio.sleep(30)
    return Response(status_code=500)


_DOCUMENT: Final = handed_in("## Problem\n\nNone.\n\n## What we confirmed\n\nNothing.\n")
_OVERLOADED: Final = (
    b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}\n\n'
)


MOODS: Final[Mapping[str, Mood]] = {
    "429": lambda: went_wrong(429, "rate_limit_error"),
    "429-retry-after": lambda: went_wrong(429, "rate_limit_error", retry_after="0.2"),
    "429-retry-late": lambda: went_wrong(429, "rate_limit_error", retry_after="3600"),
    "529": lambda: went_wrong(529, "overloaded_error"),
    "500": lambda: went_wrong(500, "api_error"),
    "timeout": _never,
    "cut": lambda: said(_DOCUMENT, cut=2),
    "error-after-200": lambda: said(_DOCUMENT, cut=2, ending=_OVERLOADED),
    "garbage": lambda: Response(b"\x00\xff{[", media_type="application/json"),
    "nonsense": lambda: said('{"sections": "none"}'),
    "refusal": lambda: said("", stop_reason="refusal"),
    "truncation": lambda: said('{"sections": [{"heading": "Problem", "sen', stop_reason="max_tokens"),
    "html": lambda: HTMLResponse("<html><body>502 Bad Gateway</body></html>"),
    "injected": lambda: said(handed_in(_LIE.format(OBEDIENT))),
}


class Llm:
    """Serves on a thread of its own. `failed` counts the calls that it failed; `wrote`: when, and from what record.

    Which version a call is for it cannot see: versions may read the same. Two calls for the same record are one
    generation too many where they overlap; later ones are of another version. A repair is no second generation.
    """

    def __init__(self) -> None:
        self.mood: str | None = None
        self.failed = 0
        self.wrote: list[tuple[float, str]] = []
        self._finished: Counter[str] = Counter()
        self.url = ""
        self._honest = Model()
        self._loop = asyncio.new_event_loop()
        self._ready, self._end = Event(), asyncio.Event()
        self._thread = Thread(target=self._run, name="llm", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    @property
    def settings(self) -> dict[str, str]:
        """What note-generator must be told to ask this one."""
        return {**SETTINGS, "NOTE_GENERATOR_ANTHROPIC_BASE_URL": self.url}

    def calls(self, marks: Mapping[str, str]) -> tuple[Call, ...]:
        """What it was asked about these accounts, each with its mark."""
        return tuple(
            Call(at, blake2b(text.encode(), digest_size=16).hexdigest(), account, usd=_USD)
            for at, text in self.wrote
            for account, mark in marks.items()
            if mark in text
        )

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with MessagesApi(self._answer).serving() as api:
            self.url = api.url
            self._ready.set()
            await self._end.wait()

    async def _write(self, request: dict[str, Any]) -> Response | Said:
        record = f"{request['system']} {request['messages']}"
        if len(request["messages"]) == 1:
            self.wrote.append((time.monotonic(), f"{record} {self._finished[record]}"))
        await asyncio.sleep(_WRITING_S)
        self._finished[record] += 1
        return await self._honest.answer(request)

    async def _answer(self, request: dict[str, Any]) -> Response | Said:
        mood = self.mood
        if mood is None:
            return await self._write(request)
        self.failed += 1
        answer = MOODS[mood]()
        return answer if isinstance(answer, Response | Said) else await answer
