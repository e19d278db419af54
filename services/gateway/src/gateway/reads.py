"""A question on its way to fix-outcomes, and its answer as HTTP."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from shared.contracts.answers import Answer
from shared.contracts.queries import Query, Record
from shared.courier import CourierError
from starlette.responses import Response
from starlette.types import Scope

from gateway.auth import Caller
from gateway.changes import refusal, shown
from gateway.parts import Parts, caller_of, parts_of
from gateway.problems import unavailable
from gateway.schemas import opaque

_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Read:
    """One request to read, whose shape is known to be good. Every role may read."""

    parts: Parts
    caller: Caller
    scope: Scope

    async def show(self, question: Record) -> Response:
        """The answer as it came."""
        self.parts.take_turn(self.caller)
        answer = await self.ask(question)
        return refusal(self.scope, answer) if answer.status >= _REFUSED else shown(answer.body)

    async def page(self, question: Record) -> Response:
        """A part of a list, with the cursor of the next made opaque."""
        self.parts.take_turn(self.caller)
        answer = await self.ask(question)
        if answer.status >= _REFUSED:
            return refusal(self.scope, answer)
        cursor = answer.body.get("next_cursor")
        page: dict[str, Any] = {
            "items": answer.body["items"],
            "next_cursor": None if cursor is None else opaque(cursor),
        }
        return shown(page)

    async def ask(self, question: Record, *, timeout_s: float | None = None) -> Answer:
        """The answer of fix-outcomes. Raises 503 where there is none in time (by default, that of any read)."""
        try:
            return await self.parts.couriers.queries.ask(
                lambda ref: Query(
                    ref=ref,
                    account_id=self.caller.account_id,
                    traceparent=self.scope["traceparent"],
                    question=question,
                ),
                timeout_s=timeout_s or self.parts.settings.answer_timeout_s,
            )
        except CourierError as error:
            raise unavailable("This cannot be read right now") from error


def read_of(request: Request) -> Read:
    """The reader for this request."""
    return Read(parts_of(request), caller_of(request), request.scope)


async def _read(request: Request) -> Read:
    return read_of(request)


RequestedRead = Annotated[Read, Depends(_read)]
