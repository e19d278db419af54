"""Questions about the record, as the gateway asks them for an account."""

from typing import Any

from fix_outcomes import handlers
from fix_outcomes_desk import Desk
from pydantic import TypeAdapter
from shared.contracts.answers import Answer
from shared.contracts.queries import Query, Record


async def look(desk: Desk, *questions: Record) -> list[Answer]:
    batch = [Query(ref=n, account_id=desk.account, question=each) for n, each in enumerate(questions)]
    return await handlers.answer(batch, engine=desk.engine)


async def see(desk: Desk, question: Record) -> dict[str, Any]:
    [answer] = await look(desk, question)
    assert answer.status == 200, answer.body
    return answer.body


async def pages(desk: Desk, question: Any) -> list[list[dict[str, Any]]]:
    """Every page of a list, as a client turns them."""
    found = []
    cursor = None
    while True:
        body = await see(desk, question.model_copy(update={"cursor": cursor} if cursor else {}))
        found.append(body["items"])
        if body["next_cursor"] is None:
            return found
        cursor = (
            TypeAdapter(type(question))
            .validate_python(question.model_dump() | {"cursor": body["next_cursor"]})
            .cursor
        )
