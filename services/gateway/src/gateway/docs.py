"""What OpenAPI says about each kind of route: its answers, its headers and its refusals."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from shared.contracts.problems import STATUS, ProblemCode
from shared.contracts.views import Operation

from gateway.middleware import API
from gateway.problems import MEDIA_TYPE, ProblemBody, described

Route = dict[str, Any]

DESCRIPTION: Final = """\
Records what came of every suggested fix, and keeps the notes true to it.

Send `Authorization: Bearer <JWT>`. Refusals are `application/problem+json` (RFC 9457): switch on `code`.
A change may carry `Idempotency-Key` (a repeat gets the first answer), `If-Match` (the `state_version` it rests on)
and `Prefer: respond-async` or `wait=N`. A change that is queued but not decided in time is **202**; its `Location`
says what became of it.
"""

_TEXT: Final = {"type": "string"}
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_EXAMPLE_TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"

_ALWAYS: Final = (
    ProblemCode.UNAUTHENTICATED,
    ProblemCode.PAYLOAD_TOO_LARGE,
    ProblemCode.INVALID,
    ProblemCode.RATE_LIMITED,
    ProblemCode.NOT_FOUND,
    ProblemCode.UNAVAILABLE,
    ProblemCode.INTERNAL,
)
_CHANGES: Final = (
    *_ALWAYS,
    ProblemCode.REQUEST_TIMEOUT,
    ProblemCode.FORBIDDEN,
    ProblemCode.IDEMPOTENCY_KEY_REUSED,
    ProblemCode.VERSION_CONFLICT,
    ProblemCode.OUTCOME_FINAL,
    ProblemCode.FIX_SUPERSEDED,
    ProblemCode.NOT_PROPOSED,
    ProblemCode.FIX_NEEDS_OUTCOME,
    ProblemCode.SESSION_CLOSED,
)
_DETAIL: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.UNAUTHENTICATED: "The token has expired",
    ProblemCode.FORBIDDEN: "The role viewer may not do this",
    ProblemCode.NOT_FOUND: "There is no such fix",
    ProblemCode.INVALID: "body.outcome: Field required",
    ProblemCode.NOTES_REQUIRED: "applied_pending requires notes: say in `notes` what is awaited",
    ProblemCode.VERSION_CONFLICT: "The session is at version 8",
    ProblemCode.OUTCOME_FINAL: "The fix is applied_success: that is final",
}
_HEADERS: Final = (
    (
        "Idempotency-Key",
        "A repeat with the same key gets the first answer",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
    ),
    (
        "If-Match",
        'The state_version that the change rests on, like `"7"`; 412 if it is another by now',
        {"type": "string", "pattern": '^"(0|[1-9][0-9]{0,17})"$'},
    ),
    ("Prefer", "`respond-async`, or `wait=N` seconds", _TEXT),
)


def change(summary: str, model: type[BaseModel], *, status: int = 200, notes: bool = False) -> Route:
    """A change that is sent as a command."""
    codes = (*_CHANGES, ProblemCode.NOTES_REQUIRED) if notes else _CHANGES
    answered = {
        "description": "Done",
        "headers": _answer_headers("ETag", "Idempotency-Replayed", "Preference-Applied"),
    }
    queued = {
        "model": Operation,
        "description": "Queued: it will be decided, once",
        "headers": _answer_headers("Location", "Retry-After", "Preference-Applied"),
    }
    return _route(summary, model, codes, status=status) | {
        "responses": {status: answered, 202: queued, **_refusals(codes)},
        "openapi_extra": {"parameters": [_parameter(*header) for header in _HEADERS]},
    }


def read(summary: str, model: Any) -> Route:
    """A question, to whichever service behind."""
    return _route(summary, model, _ALWAYS)


def preview(summary: str, model: type[BaseModel]) -> Route:
    """A document for the current state; with `stream=true` as it comes about."""
    route = _route(summary, model, _ALWAYS)
    answered = {"description": "The document", "content": {"text/event-stream": {}}}
    return route | {"responses": {200: answered, **route["responses"]}}


def stream(summary: str) -> Route:
    """A stream of server-sent events."""
    answered = {"description": "An event stream", "content": {"text/event-stream": {"schema": _TEXT}}}
    return {
        "summary": summary,
        "response_model": None,
        "responses": {200: answered, **_refusals(_ALWAYS)},
    }


def install(app: FastAPI) -> None:
    """Let the app describe itself with the schema made here."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _schema(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


def _schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = ProblemBody.model_json_schema() | {"title": "Problem"}
    components["schemas"]["Problem"]["properties"]["code"] = {
        "type": "string",
        "enum": [code.value for code in ProblemCode],
    }
    components["schemas"]["Problem"].pop("$defs", None)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path, operations in schema["paths"].items():
        for described_operation in operations.values() if path.startswith(API) else ():
            described_operation["security"] = [{"token": []}]
            for status in ("200", "201"):
                _only_stream(described_operation["responses"].get(status, {}))
    return schema


def _only_stream(answer: dict[str, Any]) -> None:
    """FastAPI adds JSON to every answer; what is only a stream has none."""
    content = answer.get("content", {})
    if "text/event-stream" in content and not content.get("application/json", {}).get("schema"):
        content.pop("application/json", None)


def _route(summary: str, model: Any, codes: tuple[ProblemCode, ...], *, status: int = 200) -> Route:
    return {
        "summary": summary,
        "status_code": status,
        "response_model": model,
        "responses": _refusals(codes),
    }


def _refusals(codes: tuple[ProblemCode, ...]) -> dict[int | str, dict[str, Any]]:
    """The problem responses, by status; each with an example of every code that has it."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in sorted(codes, key=STATUS.__getitem__):
        status = STATUS[code]
        answer = found.setdefault(
            status,
            {"description": "", "content": {MEDIA_TYPE: {"schema": _PROBLEM, "examples": {}}}},
        )
        answer["description"] = " or ".join(filter(None, [answer["description"], f"`{code}`"]))
        answer["content"][MEDIA_TYPE]["examples"][code.value] = {"value": _example(code)}
        if status in (429, 503):
            answer["headers"] = _answer_headers("Retry-After")
    return found


def _example(code: ProblemCode) -> dict[str, Any]:
    detail = _DETAIL.get(code, "Why it was refused")
    return described(code, status=STATUS[code], detail=detail) | {
        "instance": "/api/v1/ai-sessions/0192f000-0000-7000-8000-000000000001",
        "trace_id": _EXAMPLE_TRACE,
    }


def _answer_headers(*names: str) -> dict[str, Any]:
    return {name: {"schema": _TEXT} for name in names}


def _parameter(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}
