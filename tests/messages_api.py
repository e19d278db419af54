"""A server that speaks Anthropic's Messages API, and what it may say."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn
from note_generator.domain.wording import sections_of
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass
class MessagesApi:
    """A server that speaks Anthropic's Messages API, and says what a test wants."""

    answer: Callable[[dict[str, Any]], Awaitable[Response] | Response]
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def _messages(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        answer = self.answer(body)
        return answer if isinstance(answer, Response) else await answer

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Self]:
        """On a free port of the loopback interface."""
        app = Starlette(routes=[Route("/v1/messages", self._messages, methods=["POST"])])
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  uvicorn has nothing to wait for
            await asyncio.sleep(0.01)
        self.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.should_exit = True
            await serving


def said(text: str, stop_reason: str = "end_turn", usage: dict[str, int] | None = None) -> Response:
    """A good answer of the Messages API."""
    return JSONResponse(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "test",
            "content": [{"type": "text", "text": text}],
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": usage or {"input_tokens": 10, "output_tokens": 20},
        }
    )


def handed_in(markdown: str, support: tuple[str, str] = ("R", "Outcome status")) -> str:
    """A document in the form in which the model hands it in; every sentence with this support."""
    evidence = [{"source": support[0], "quote": support[1]}]
    sections = [
        {
            "heading": heading.removeprefix("## "),
            "sentences": [
                {"text": line.removeprefix("- "), "support": evidence}
                for line in text.splitlines()
                if line.strip()
            ],
        }
        for heading, text in sections_of(markdown).items()
    ]
    return json.dumps({"sections": sections})


def went_wrong(status: int, kind: str, message: str = "no", *, retry_after: str | None = None) -> Response:
    """An error of the Messages API."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    error = {"type": "error", "error": {"type": kind, "message": message}}
    return JSONResponse(error, status_code=status, headers=headers)
