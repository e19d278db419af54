"""The model behind Anthropic's Messages API."""

import asyncio
import time
from functools import reduce
from hashlib import blake2b
from importlib.resources import files
from traceback import extract_tb
from typing import Final
from uuid import UUID

from anthropic import AsyncAnthropic, transform_schema
from anthropic.types import MessageParam
from opentelemetry.trace import SpanKind
from pydantic import SecretStr, ValidationError
from shared.contracts.views import NoteUsage
from shared.contracts.vocabulary import NoteKind
from shared.logs import logger

from note_generator.answers import Answer, DocumentForm, Tokens
from note_generator.asking import BREAKING, FAILURES, REASONS, kind_of, pause_s
from note_generator.breaker import Breaker
from note_generator.checkpoints import Checkpoint
from note_generator.domain.brief import brief
from note_generator.domain.bundle import Bundle
from note_generator.incoming import Incoming
from note_generator.ledger import Ledger, OverBudget
from note_generator.metrics import LLM_CALLS, LLM_COST, LLM_TOKENS
from note_generator.settings import Settings
from note_generator.writer import Hear, Refused, Reply, WritingFailed, total
from shared import telemetry

log = logger(__name__)

_CHARACTERS_PER_TOKEN: Final = 3
_NOTHING: Final = NoteUsage(calls=1, input_tokens=0, output_tokens=0)


class AnthropicModel:
    """Asks for one document with one call. Raises `WritingFailed` for whatever goes wrong with it."""

    def __init__(
        self, *, client: AsyncAnthropic, settings: Settings, ledger: Ledger, checkpoint: Checkpoint
    ) -> None:
        self._client, self._settings, self._ledger, self._checkpoint = client, settings, ledger, checkpoint
        self._slots = asyncio.Semaphore(settings.llm_at_once)
        self._breaker = Breaker(
            failures=settings.llm_failures, pause_s=settings.llm_rest_s, now=time.monotonic
        )
        self._prompts = {kind: f"{_prompt('system')}\n{_prompt(kind)}" for kind in NoteKind}
        self._repair, self._price = _prompt("repair"), settings.price

    async def ask(
        self, bundle: Bundle, *, account_id: UUID, hear: Hear, refused: Refused | None = None
    ) -> Reply:
        """What the model hands in, unchecked."""
        if self._breaker.is_open:
            raise _failed("resting")
        messages = self._messages(bundle, refused)
        try:
            reservation = await self._ledger.reserve(account_id, self._most(messages))
        except OverBudget as error:
            raise _failed("budget") from error
        began, outcome, spent = time.perf_counter(), "error", list[Tokens]()
        try:
            answer = await self._answer(bundle.kind, messages, hear, spent)
            outcome = _outcome(answer)
            if outcome != "written":
                raise _failed(outcome)
        except WritingFailed as failure:
            outcome, failure.usage = failure.kind, self._usage(spent)
            raise
        finally:
            usage, latency_s = self._usage(spent) or _NOTHING, time.perf_counter() - began
            await self._ledger.settle(reservation, usage=usage, outcome=outcome, latency_s=latency_s)
            _count(usage)
        LLM_CALLS.labels("written").inc()
        return _reply(answer, usage, reservation.warnings)

    async def close(self) -> None:
        """Close the client's connections."""
        await self._client.close()

    def _messages(self, bundle: Bundle, refused: Refused | None) -> list[MessageParam]:
        messages: list[MessageParam] = [{"role": "user", "content": f"<record>\n{brief(bundle)}</record>"}]
        if refused is not None:
            objections = "\n".join(f"- {each}" for each in refused.objections)
            messages.append({"role": "assistant", "content": refused.text})
            messages.append({"role": "user", "content": f"{self._repair}\n{objections}"})
        return messages

    def _most(self, messages: list[MessageParam]) -> float:
        """What this call costs at the most, in dollars."""
        characters = sum(len(str(each["content"])) for each in messages) + max(
            map(len, self._prompts.values())
        )
        read = characters / _CHARACTERS_PER_TOKEN * max(self._price.input, self._price.cache_write)
        return (read + self._settings.max_tokens * self._price.output) / 1_000_000

    def _usage(self, spent: list[Tokens]) -> NoteUsage | None:
        return reduce(total, (each.usage(self._price) for each in spent), None)

    async def _answer(
        self, kind: NoteKind, messages: list[MessageParam], hear: Hear, spent: list[Tokens]
    ) -> Answer:
        """Within the time for a note, whatever is waited for: a slot, an answer, or the moment to ask again."""
        try:
            async with asyncio.timeout(self._settings.llm_timeout_s), self._slots:
                answer = await self._patiently(kind, messages, hear, spent)
        except Exception as error:
            raise self._given_up(error) from error
        self._breaker.succeeded()
        return answer

    def _given_up(self, error: Exception) -> WritingFailed:
        """Whatever it was counts as a failure of the model: a session is not the worse for what a model says."""
        if not isinstance(error, FAILURES):
            [place] = extract_tb(error.__traceback__, limit=-1)  # it may as well be a mistake of ours
            where = f"{place.filename}:{place.lineno}"
            log.error("the model's answer was not understood", reason=type(error).__name__, where=where)
        reason = kind_of(error)
        if reason in BREAKING:
            self._breaker.failed()
        return _failed(reason)

    async def _patiently(
        self, kind: NoteKind, messages: list[MessageParam], hear: Hear, spent: list[Tokens]
    ) -> Answer:
        for attempt in range(self._settings.llm_retries + 1):
            incoming = Incoming(hear)
            try:
                return await self._passing(kind, messages, incoming)
            except FAILURES as error:
                wait_s = pause_s(error, attempt)
                if wait_s is None or attempt == self._settings.llm_retries or self._takes_too_long(wait_s):
                    raise
                LLM_CALLS.labels("repeated").inc()
                await asyncio.sleep(wait_s)
            finally:
                spent += [incoming.tokens] if incoming.tokens else []
        raise AssertionError("unreachable")

    def _takes_too_long(self, wait_s: float) -> bool:
        return wait_s > self._settings.llm_timeout_s / 2

    async def _passing(self, kind: NoteKind, messages: list[MessageParam], incoming: Incoming) -> Answer:
        asking = asyncio.create_task(self._ask(kind, messages, incoming))
        try:
            await self._checkpoint("during the LLM call")
            return await asking
        finally:
            asking.cancel()

    async def _ask(self, kind: NoteKind, messages: list[MessageParam], incoming: Incoming) -> Answer:
        asked = {"gen_ai.operation.name": "chat", "gen_ai.request.model": self._settings.model}
        with telemetry.inner("ask the model", SpanKind.CLIENT, asked):
            async with self._client.messages.stream(
                model=self._settings.model,
                max_tokens=self._settings.max_tokens,
                system=[
                    {"type": "text", "text": self._prompts[kind], "cache_control": {"type": "ephemeral"}}
                ],
                messages=messages,
                # Not `output_format`: it raises for a text that is cut off or refused.
                output_config={"format": {"type": "json_schema", "schema": transform_schema(DocumentForm)}},
            ) as stream:
                return await incoming.read(stream)


def anthropic_model(
    settings: Settings, *, key: SecretStr, ledger: Ledger, checkpoint: Checkpoint
) -> AnthropicModel:
    """A model with a client of its own."""
    client = AsyncAnthropic(
        api_key=key.get_secret_value(),
        base_url=settings.anthropic_base_url,
        timeout=settings.llm_timeout_s,
        max_retries=0,
    )
    return AnthropicModel(client=client, settings=settings, ledger=ledger, checkpoint=checkpoint)


def prompts_version() -> str:
    """Names the prompts: another text is another version."""
    texts = [_prompt(name) for name in ("system", "repair", *NoteKind)]
    return blake2b("\n".join(texts).encode(), digest_size=6).hexdigest()


def _prompt(name: str) -> str:
    return files("note_generator").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")


def _outcome(answer: Answer) -> str:
    if answer.stop_reason == "refusal":
        return "refusal"
    if answer.stop_reason != "end_turn":
        return "cut_off"
    return "written" if answer.text else "empty"


def _reply(answer: Answer, usage: NoteUsage, warnings: tuple[str, ...]) -> Reply:
    try:
        writing = DocumentForm.model_validate_json(answer.text).writing()
    except ValidationError:
        objection = "form: the answer is not in the agreed form"
        return Reply(None, answer.text, usage, objection=objection, warnings=warnings)
    return Reply(writing, answer.text, usage, warnings=warnings)


def _count(usage: NoteUsage) -> None:
    """What came of it or not: the model is paid for both."""
    LLM_COST.inc(usage.cost_usd)
    LLM_TOKENS.labels("input").inc(usage.input_tokens)
    LLM_TOKENS.labels("output").inc(usage.output_tokens)
    telemetry.note(
        {
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
        }
    )


def _failed(kind: str) -> WritingFailed:
    LLM_CALLS.labels(kind).inc()
    return WritingFailed(REASONS[kind], kind=kind)
