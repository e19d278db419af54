"""What happens around every request: it is observed, then authenticated. Plain ASGI: it is cheap."""

import random
import re
import traceback
from time import perf_counter
from typing import Final

from opentelemetry.trace import Span, SpanKind
from shared.contracts.problems import ProblemCode
from shared.logs import about, logger
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import problems
from gateway.auth import Verifier
from gateway.metrics import Metrics
from gateway.problems import Problem
from shared import telemetry

log = logger(__name__)

API: Final = "/api/"

_SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_UNLESS_SAID: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
)
_FAILED: Final = 500
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Observe:
    """Gives each request its trace, each answer its security headers, and counts both. Nothing internal leaks."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, seconds = perf_counter(), 0, 0.0
        scope["traceparent"], span = _trace(scope)
        scope["trace_id"] = scope["traceparent"][3:35]
        about.set(scope)

        async def send_safely(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], perf_counter() - began
                said = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *_SECURITY_HEADERS,
                    *(header for header in _UNLESS_SAID if header[0] not in said),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_safely)
        except Exception as error:
            log.error(
                "request failed", trace_id=scope["trace_id"], error=type(error).__name__, where=_where(error)
            )
            if status:
                return  # too late to say so; the server closes the connection
            internal = Problem(ProblemCode.INTERNAL, "Something went wrong; the trace_id names this request")
            await problems.of(scope, internal)(scope, receive, send_safely)
        finally:
            self._metrics.answered(
                method=scope["method"], route=_route(scope), status=status, seconds=seconds
            )
            if span is not None:
                _end(span, scope, status)


class Authenticate:
    """Refuses whoever calls the API without a valid token, before anything else is looked at."""

    def __init__(self, app: ASGIApp, *, verifier: Verifier) -> None:
        self._app, self._verifier = app, verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(API):
            try:
                scope["caller"] = caller = await self._verifier.caller(_header(scope, b"authorization"))
                scope["account_id"] = caller.account_id
            except Problem as problem:
                await problems.of(scope, problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _header(scope: Scope, name: bytes) -> bytes | None:
    """The value, if it is said once. Said twice, a proxy may have heard the one and we the other."""
    values: list[bytes] = [value for key, value in scope["headers"] if key == name]
    return values[0] if len(values) == 1 else None


def _trace(scope: Scope) -> tuple[str, Span | None]:
    """The request's W3C trace context, the caller's or a new one, and its span if it is traced."""
    header = _header(scope, b"traceparent")
    given = header.decode("latin-1") if header else ""
    known = _TRACEPARENT.fullmatch(given) is not None
    if telemetry.on() and scope["path"].startswith(API):
        if known:
            span = telemetry.begin(scope["method"], given, SpanKind.SERVER)
        else:
            span = telemetry.begin_trace(scope["method"], SpanKind.SERVER) if telemetry.chosen() else None
        if span is not None:
            return telemetry.context_of(span), span
    if known:
        return given, None
    noise = f"{random.getrandbits(192):048x}"
    return f"00-{noise[:32]}-{noise[32:]}-00", None


def _end(span: Span, scope: Scope, status: int) -> None:
    span.update_name(f"{scope['method']} {_route(scope)}")
    span.set_attributes(
        {
            "http.request.method": scope["method"],
            "http.route": _route(scope),
            "http.response.status_code": status,
            **({"rf.account_id": str(scope["account_id"])} if "account_id" in scope else {}),
            **({"rf.command_id": str(scope["command_id"])} if "command_id" in scope else {}),
        }
    )
    telemetry.end(span, failed=status >= _FAILED)


def _where(error: BaseException) -> list[str]:
    """The innermost calls. Not the error's own words: they may quote what somebody wrote."""
    calls = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{call.filename.rpartition('/')[2]}:{call.lineno} {call.name}" for call in calls]


def _route(scope: Scope) -> str:
    """The route's template; requests that fit none, or never got so far, share one name."""
    return getattr(scope.get("route"), "path", "none")
