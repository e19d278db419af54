"""The writer that asks Anthropic's Messages API."""

import asyncio
from http import HTTPStatus
from importlib.resources import files
from typing import Final

from anthropic import (
    AnthropicError,
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncAnthropic,
)
from anthropic.types import Message
from opentelemetry.trace import SpanKind
from pydantic import BaseModel, ConfigDict, SecretStr
from shared.contracts.vocabulary import Generator, NoteKind

from note_generator.checkpoints import Checkpoint
from note_generator.domain.brief import brief
from note_generator.domain.bundle import Bundle
from note_generator.metrics import LLM_CALLS, LLM_TOKENS
from note_generator.settings import Settings
from note_generator.writer import Draft, WritingFailed
from shared import telemetry

_REASONS: Final = {
    "timeout": "the model took too long",
    "connection": "the model could not be reached",
    "rate_limited": "the model's rate limit was reached",
    "overloaded": "the model is overloaded",
    "unauthorized": "the model refused the key",
    "server_error": "the model had an error",
    "bad_request": "the model refused the request",
    "refusal": "the model declined to write",
    "cut_off": "the model's text was cut off",
    "empty": "the model wrote nothing",
    "error": "the model could not be asked",
}
"""Why the template wrote, by the label that the metric has."""


class _FromAnthropic(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _Block(_FromAnthropic):
    type: str
    text: str = ""


class _Usage(_FromAnthropic):
    input_tokens: int
    output_tokens: int


class _Answer(_FromAnthropic):
    """What is needed of an answer. The SDK itself takes any JSON for one."""

    content: list[_Block]
    stop_reason: str | None
    usage: _Usage


class AnthropicWriter:
    """Writes with one call. Raises `WritingFailed` for whatever goes wrong with it."""

    def __init__(
        self,
        *,
        client: AsyncAnthropic,
        model: str,
        max_tokens: int,
        within_s: float,
        at_once: int,
        checkpoint: Checkpoint,
    ) -> None:
        self._client, self._model, self._max_tokens = client, model, max_tokens
        self._within_s, self._slots, self._checkpoint = within_s, asyncio.Semaphore(at_once), checkpoint
        self._prompts = {kind: f"{_prompt('system')}\n{_prompt(kind)}" for kind in NoteKind}

    async def write(self, bundle: Bundle) -> Draft:
        """The model's document, unchecked."""
        answer = await self._ask(bundle)
        LLM_TOKENS.labels("input").inc(answer.usage.input_tokens)
        LLM_TOKENS.labels("output").inc(answer.usage.output_tokens)
        telemetry.note(
            {
                "gen_ai.usage.input_tokens": answer.usage.input_tokens,
                "gen_ai.usage.output_tokens": answer.usage.output_tokens,
            }
        )
        if answer.stop_reason == "refusal":
            raise _failed("refusal")
        if answer.stop_reason != "end_turn":
            raise _failed("cut_off")
        text = "".join(block.text for block in answer.content if block.type == "text").strip()
        if not text:
            raise _failed("empty")
        LLM_CALLS.labels("written").inc()
        return Draft(f"{text}\n", Generator.LLM)

    async def close(self) -> None:
        """Close the client's connections."""
        await self._client.close()

    async def _ask(self, bundle: Bundle) -> _Answer:
        try:
            # The time counts from here on: waiting for a slot is waiting, too.
            async with asyncio.timeout(self._within_s), self._slots:
                asking = asyncio.create_task(self._create(bundle))
                try:
                    await self._checkpoint("during the LLM call")
                    return _Answer.model_validate(await asking)
                finally:
                    asking.cancel()
        except TimeoutError as error:
            raise _failed("timeout") from error
        except AnthropicError as error:
            raise _failed(_kind_of(error)) from error
        except (ValueError, TypeError) as error:
            # An answer that is no Messages API answer at all.
            raise _failed("error") from error

    async def _create(self, bundle: Bundle) -> Message:
        asked = {"gen_ai.operation.name": "chat", "gen_ai.request.model": self._model}
        with telemetry.inner("ask the model", SpanKind.CLIENT, asked):
            return await self._client.messages.create(
                model=self._model,
                max_tokens=self._max_tokens,
                system=[
                    {
                        "type": "text",
                        "text": self._prompts[bundle.kind],
                        "cache_control": {"type": "ephemeral"},
                    }
                ],
                messages=[{"role": "user", "content": f"<record>\n{brief(bundle)}</record>"}],
            )


def anthropic_writer(settings: Settings, *, key: SecretStr, checkpoint: Checkpoint) -> AnthropicWriter:
    """A writer with a client of its own. It never repeats a call: one note, one call."""
    client = AsyncAnthropic(
        api_key=key.get_secret_value(),
        base_url=settings.anthropic_base_url,
        timeout=settings.llm_timeout_s,
        max_retries=0,
    )
    return AnthropicWriter(
        client=client,
        model=settings.model,
        max_tokens=settings.max_tokens,
        within_s=settings.llm_timeout_s,
        at_once=settings.llm_at_once,
        checkpoint=checkpoint,
    )


def _prompt(name: str) -> str:
    return files("note_generator").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")


def _failed(kind: str) -> WritingFailed:
    LLM_CALLS.labels(kind).inc()
    return WritingFailed(_REASONS[kind])


def _kind_of(error: AnthropicError) -> str:
    if isinstance(error, APITimeoutError):
        return "timeout"
    if isinstance(error, APIConnectionError):
        return "connection"
    if not isinstance(error, APIStatusError):
        return "error"
    by_type = {"rate_limit_error": "rate_limited", "overloaded_error": "overloaded"}
    by_status = {401: "unauthorized", 403: "unauthorized", 429: "rate_limited", 529: "overloaded"}
    first = by_type.get(str(error.type)) or by_status.get(error.status_code)
    if first:
        return first
    # An error in the middle of an answer that began well comes with status 200.
    ours = HTTPStatus.BAD_REQUEST <= error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    return "bad_request" if ours else "server_error"
