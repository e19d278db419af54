"""What became of a change that was queued, but not decided while its caller waited."""

from typing import Any

from fastapi import APIRouter
from shared.contracts.problems import ProblemCode
from shared.contracts.queries import GetOperation
from shared.contracts.views import Operation
from starlette.responses import Response

from gateway import docs
from gateway.changes import JSON, OPERATIONS
from gateway.problems import Problem, described
from gateway.reads import Read, RequestedRead
from gateway.receipts import Receipt

router = APIRouter(prefix=OPERATIONS, tags=["operations"])

_OK = 200


@router.get("/{operation_id}", **docs.read("Show an operation", Operation))
async def get_operation(operation_id: str, read: RequestedRead) -> Response:
    """`pending` until it is decided; then its answer. The id is from the `Location` of a 202.

    `parked`: an operator must look at it.
    """
    read.parts.take_turn(read.caller)
    receipt = read.parts.receipts.read(operation_id, account_id=read.caller.account_id)
    if receipt is None:
        raise Problem(ProblemCode.NOT_FOUND, "There is no such operation")
    operation = Operation(
        operation_id=operation_id,
        accepted_at=receipt.accepted_at,
        **_known(await _recorded(read, receipt)),
    )
    return Response(operation.model_dump_json(exclude_defaults=True), media_type=JSON)


async def _recorded(read: Read, receipt: Receipt) -> dict[str, Any]:
    """What the command log says; nothing, where it cannot be asked or does not know the command yet."""
    try:
        answer = await read.ask(GetOperation(command_id=receipt.command_id, fingerprint=receipt.fingerprint))
    except Problem:
        return {}
    return answer.body if answer.status == _OK else {}


def _known(recorded: dict[str, Any]) -> dict[str, Any]:
    state = recorded.get("state")
    if state not in ("succeeded", "rejected"):
        return {"status": "pending", "parked": state == "parked"}
    if state == "succeeded":
        return {"status": state, "http_status": recorded.get("http_status"), "answer": recorded.get("answer")}
    status, answer = recorded["http_status"], recorded["answer"]
    problem = {**answer, **described(answer["code"], status=status, detail=answer["detail"])}
    return {"status": state, "http_status": status, "answer": problem}
