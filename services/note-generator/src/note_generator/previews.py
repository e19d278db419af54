"""Previews, from the question to the answer: each for itself, as soon as it is ready."""

import asyncio
import time
from typing import Final

from faststream.rabbit import RabbitMessage
from opentelemetry.trace import SpanKind
from pydantic import TypeAdapter, ValidationError
from shared.contracts.answers import Answer, Answers
from shared.contracts.problems import ProblemCode
from shared.contracts.queries import LintNote, Query, QueryBatch, WriteNote
from shared.logs import about, logger, trace_id_of

from note_generator.handlers import Handlers, refusal
from note_generator.messenger import Messenger, NotAReplyAddress
from note_generator.metrics import PREVIEW_SECONDS
from note_generator.outage import Away
from shared import telemetry

log = logger(__name__)

_QUERIES = TypeAdapter(QueryBatch)
_PAUSE_S: Final = 0.2


class Previews:
    """Answers what is asked, a bounded number at once, each within its time."""

    def __init__(self, *, handlers: Handlers, messenger: Messenger, at_once: int, within_s: float) -> None:
        self._handlers, self._messenger = handlers, messenger
        self._slots, self._within_s = asyncio.Semaphore(at_once), within_s

    async def answer(self, message: RabbitMessage) -> None:
        """Answer a batch. What cannot be read has nobody who could be answered."""
        try:
            queries = _QUERIES.validate_json(message.body).queries
        except ValidationError:
            log.warning("unreadable previews dropped", size=len(message.body))
            return
        within_s = min(_expiration_s(message) or self._within_s, self._within_s)
        await asyncio.gather(*(self._answer_one(query, message.reply_to, within_s) for query in queries))

    async def _answer_one(self, query: Query, reply_to: str, within_s: float) -> None:
        about.set({"account_id": query.account_id, "trace_id": trace_id_of(query.traceparent) or "none"})
        with telemetry.span("answer preview", query.traceparent, SpanKind.CONSUMER):
            await self._answer_within(query, reply_to, within_s)

    async def _answer_within(self, query: Query, reply_to: str, within_s: float) -> None:
        answer = refusal(query.ref, ProblemCode.UNAVAILABLE, "The note could not be written in time")
        written, began = None, time.perf_counter()
        until = asyncio.get_running_loop().time() + within_s
        try:
            async with asyncio.timeout_at(until), self._slots:
                if isinstance(query.question, WriteNote):
                    answer, written = await self._handlers.preview(
                        account_id=query.account_id, question=query.question, ref=query.ref
                    )
                elif isinstance(query.question, LintNote):
                    answer = await self._handlers.lint(
                        account_id=query.account_id, question=query.question, ref=query.ref
                    )
                else:
                    answer = refusal(query.ref, ProblemCode.INVALID, "This service only writes notes")
        except TimeoutError:
            log.warning("preview not answered in time")
        except Exception as error:
            log.error("preview failed", reason=type(error).__name__)
        PREVIEW_SECONDS.labels(str(answer.status)).observe(time.perf_counter() - began)
        await self._reply(answer, reply_to, until)
        if written is not None:
            try:
                await self._handlers.announce_once(query.account_id, written)
            except Away as outage:
                # The session's own change is still to be handled, and announces what this could not.
                log.warning("not announced", reason=type(outage).__name__)

    async def _reply(self, answer: Answer, reply_to: str, until: float) -> None:
        """Once in any case; while the broker is away again, for as long as somebody waits for it."""
        while True:
            try:
                await self._messenger.answer(Answers(answers=(answer,)), reply_to=reply_to)
            except (NotAReplyAddress, Away) as error:
                if isinstance(error, NotAReplyAddress) or not await self._is_back(until):
                    log.warning("answer not delivered", reason=type(error).__name__)
                    return
            else:
                return

    async def _is_back(self, until: float) -> bool:
        await asyncio.sleep(_PAUSE_S)
        left_s = until - asyncio.get_running_loop().time()
        return left_s > 0 and await self._messenger.wait_ready(left_s)


def _expiration_s(message: RabbitMessage) -> float | None:
    expiration = message.raw_message.expiration
    return float(expiration) if isinstance(expiration, int | float) else None
