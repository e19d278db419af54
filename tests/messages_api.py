"""A server that speaks Anthropic's Messages API, and what it may say."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn
from note_generator.domain.wording import sections_of
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


@dataclass
class Said:
    """A good answer of the Messages API. Of a stream that is `cut` after so many pieces, the rest never comes."""

    text: str
    stop_reason: str = "end_turn"
    usage: dict[str, int] = field(default_factory=lambda: {"input_tokens": 10, "output_tokens": 20})
    between: Callable[[int], Awaitable[None]] | None = None
    cut: int | None = None
    ending: bytes = b""
    piece: int = 40

    def response(self, *, stream: bool) -> Response:
        """In one piece, or as server-sent events."""
        if stream:
            return StreamingResponse(self._events(), media_type="text/event-stream")
        content = [{"type": "text", "text": self.text}]
        return JSONResponse(self._message | {"content": content, "stop_reason": self.stop_reason})

    @property
    def _message(self) -> dict[str, Any]:
        names: dict[str, Any] = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "test",
            "stop_sequence": None,
        }
        return names | {"content": [], "stop_reason": None, "usage": self.usage}

    async def _events(self) -> AsyncIterator[bytes]:
        begun = self.usage | {"output_tokens": 1}
        yield _event("message_start", message=self._message | {"usage": begun})
        yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for number, piece in enumerate(self._pieces()):
            if self.between:
                await self.between(number)
            if number == self.cut:
                if self.ending:
                    yield self.ending
                    return
                raise ConnectionAbortedError
            yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        yield _event("content_block_stop", index=0)
        delta = {"stop_reason": self.stop_reason, "stop_sequence": None}
        yield _event("message_delta", delta=delta, usage={"output_tokens": self.usage["output_tokens"]})
        yield _event("message_stop")

    def _pieces(self) -> Iterator[str]:
        return (self.text[at : at + self.piece] for at in range(0, len(self.text), self.piece))


def _event(kind: str, **more: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode()


@dataclass
class MessagesApi:
    """A server that speaks Anthropic's Messages API, and says what a test wants."""

    answer: Callable[[dict[str, Any]], Said | Response | Awaitable[Said | Response]]
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def _messages(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        answer = self.answer(body)
        answer = await answer if isinstance(answer, Awaitable) else answer
        return answer.response(stream=body.get("stream", False)) if isinstance(answer, Said) else answer

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Self]:
        """On a free port of the loopback interface."""
        app = Starlette(routes=[Route("/v1/messages", self._messages, methods=["POST"])])
        quiet = "critical"  # a stream that is cut on purpose is no news
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_config=None, log_level=quiet, lifespan="off"
        )
        async with _listening(config) as server:
            self.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            yield self


@asynccontextmanager
async def _listening(config: uvicorn.Config) -> AsyncIterator[uvicorn.Server]:
    """Uvicorn without its orderly end, which takes two tenths of a second, and longer where an answer is slow."""
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server
    finally:
        for listening in server.servers:
            listening.close()
        for connection in tuple(server.server_state.connections):
            connection.transport.abort()
        answering = tuple(server.server_state.tasks)
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)
        for listening in server.servers:
            await listening.wait_closed()


def said(text: str, stop_reason: str = "end_turn", **more: Any) -> Said:
    """A good answer."""
    return Said(text, stop_reason, **more)


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
