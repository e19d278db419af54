"""Refusals as RFC 9457 problems. Nothing internal is in them: a code, words, and what the client sent wrong."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from shared.contracts.problems import STATUS, TITLE, ProblemCode
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1

_TITLES: Mapping[str, str] = {code.value: title for code, title in TITLE.items()}
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_FRAMEWORK: Mapping[int, ProblemCode] = {
    400: ProblemCode.INVALID,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
}


class Problem(Exception):
    """A refusal by the gateway itself, or one that fix-outcomes decided, on its way to the client."""

    def __init__(
        self,
        code: ProblemCode,
        detail: str,
        *,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail
        self.members, self.headers = members or {}, headers or {}


class ProblemBody(BaseModel):
    """What every refusal looks like. `code` is stable; `detail` is for people."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:resolutionflow:problem:outcome_final"])
    title: str = Field(examples=["The outcome is final"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["This fix is applied_success: its outcome cannot change any more"])
    instance: str = Field(description="The path that was asked for")
    code: ProblemCode
    trace_id: str = Field(description="Names this request in the logs", pattern="^[0-9a-f]{32}$")


def unavailable(detail: str) -> Problem:
    """503 with `Retry-After`."""
    return Problem(ProblemCode.UNAVAILABLE, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def too_many(detail: str, *, wait_s: float = RETRY_AFTER_S) -> Problem:
    """429 with `Retry-After`, in whole seconds."""
    return Problem(ProblemCode.RATE_LIMITED, detail, headers={"Retry-After": str(math.ceil(wait_s))})


def invalid(detail: str, *, where: str) -> Problem:
    """422 about one part of the request, e.g. `header.If-Match`."""
    errors = [{"location": where, "message": detail}]
    return Problem(ProblemCode.INVALID, f"{where}: {detail}", members={"errors": errors})


def described(code: str, *, status: int, detail: str) -> dict[str, Any]:
    """The members of a problem that do not depend on the request."""
    return {
        "type": f"urn:resolutionflow:problem:{code}",
        "title": _TITLES.get(code, "Refused"),
        "status": status,
        "detail": detail,
        "code": code,
    }


def response(
    scope: Scope,
    *,
    code: str,
    status: int,
    detail: str,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The HTTP answer for a refusal of this request."""
    own = described(code, status=status, detail=detail) | {
        "instance": quote(scope["path"]),
        "trace_id": scope["trace_id"],
    }
    body = own | {name: value for name, value in (members or {}).items() if name not in own}
    return Response(orjson.dumps(body), status, headers, MEDIA_TYPE)


def of(scope: Scope, problem: Problem) -> Response:
    """The HTTP answer for a problem that the gateway found."""
    return response(
        scope,
        code=problem.code,
        status=STATUS[problem.code],
        detail=problem.detail,
        members=problem.members,
        headers=problem.headers,
    )


def install(app: FastAPI) -> None:
    """Answer the framework's own refusals, and ours, as problems."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_bad_shape)
    app.add_exception_handler(HTTPException, _on_framework_refusal)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this type
    return of(request.scope, error)


async def _on_bad_shape(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
    if any(isinstance(each.get("input"), bytes) for each in error.errors()):
        detail = "send JSON, and say so: application/json"
        return of(request.scope, invalid(detail, where="header.Content-Type"))
    return of(request.scope, bad_shape(error.errors()))


def bad_shape(errors: Sequence[Any]) -> Problem:
    """422 that names each place, without repeating what was sent there."""
    places = [{"location": _place(error["loc"]), "message": error["msg"]} for error in errors[:20]]
    first = places[0]
    return Problem(
        ProblemCode.INVALID, f"{first['location']}: {first['message']}", members={"errors": places}
    )


def _place(parts: Sequence[str | int]) -> str:
    # The name of an unknown field is the client's: it may be long, or hold what no JSON text can.
    return ".".join(str(part) for part in parts)[:200].encode(errors="replace").decode()


async def _on_framework_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
    code = _FRAMEWORK.get(error.status_code, ProblemCode.INVALID)
    detail = "There is nothing here" if code is ProblemCode.NOT_FOUND else str(error.detail)
    headers = _allow(request) if code is ProblemCode.METHOD_NOT_ALLOWED else error.headers
    return response(request.scope, code=code, status=STATUS[code], detail=detail, headers=headers)


def _allow(request: Request) -> dict[str, str]:
    """Every method of the path. The framework names those of the first route alone."""
    routes, scope = request.app.router.routes, request.scope
    allowed = (
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    )
    return {"Allow": ", ".join(allowed)}
