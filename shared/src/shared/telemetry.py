"""Traces: OpenTelemetry spans, from a request over its batch to the note. Off unless there is somewhere to send them.

W3C trace contexts travel in commands, questions, state changes and AMQP headers. One that is not sampled makes no spans
anywhere, so the gateway alone decides which requests are traced. Off, every function here is one comparison.
"""

import atexit
import random
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from shared.contracts.text import sampled
from shared.settings import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context

Attributes = Mapping[str, str | int | float | bool]
MaybeSpan = AbstractContextManager[str | None]
"""Gives the span's own trace context, for whoever comes next; None where nothing is traced."""

HEADER: Final = "traceparent"
_NOTHING: Final[MaybeSpan] = nullcontext(None)
_EXPORT_TIMEOUT_S: Final = 3
_EXPORT_EVERY_MS: Final = 1_000

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


class _State:
    """What `configure` made; one per process, like the registry of metrics."""

    tracer: Tracer | None = None
    ratio: float = 0.0


def configure_by(settings: ServiceSettings, *, service: str) -> None:
    """Send spans where a service's settings say, if they do."""
    if settings.traces_url is not None:
        configure(
            service=service,
            replica=settings.replica,
            url=str(settings.traces_url),
            ratio=settings.traces_ratio,
        )


def configure(*, service: str, replica: str, url: str, ratio: float = 1.0) -> None:
    """Send spans to this address (OTLP over HTTP), for this share of the traces that begin here."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create(
        {
            "service.namespace": "resolutionflow",
            "service.name": service,
            "service.instance.id": replica,
        }
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=url, timeout=_EXPORT_TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_EXPORT_EVERY_MS))
    atexit.register(provider.shutdown)
    _State.tracer, _State.ratio = provider.get_tracer("resolutionflow"), ratio


def on() -> bool:
    """Whether spans are sent anywhere."""
    return _State.tracer is not None


def chosen() -> bool:
    """Whether a trace that begins here is to be one of those that are sent."""
    return _State.tracer is not None and random.random() < _State.ratio  # noqa: S311 - a sample, no secret


def begin(name: str, parent: str | None, kind: SpanKind = SpanKind.INTERNAL) -> Span | None:
    """A span that `end` ends. None where `parent` is not traced."""
    tracer = _State.tracer
    if tracer is None or (context := _read(parent)) is None:
        return None
    return tracer.start_span(name, _as_parent(context), kind)


def begin_trace(name: str, kind: SpanKind) -> Span | None:
    """The first span of a trace; None where there is no tracing."""
    tracer = _State.tracer
    return None if tracer is None else tracer.start_span(name, _as_parent(None), kind)


def end(ending: Span | None, *, failed: bool = False) -> None:
    """End a span of `begin`."""
    if ending is not None:
        if failed:
            ending.set_status(Status(StatusCode.ERROR))
        ending.end()


def span(
    name: str,
    parent: str | None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
) -> MaybeSpan:
    """A span below a trace context that came from elsewhere."""
    tracer = _State.tracer
    if tracer is None or (context := _read(parent)) is None:
        return _NOTHING
    return _current(tracer.start_span(name, _as_parent(context), kind, attributes))


def inner(name: str, kind: SpanKind = SpanKind.INTERNAL, attributes: Attributes | None = None) -> MaybeSpan:
    """A span below the one that this task is in; none where it is in none."""
    tracer = _State.tracer
    if tracer is None or not trace.get_current_span().is_recording():
        return _NOTHING
    return _current(tracer.start_span(name, None, kind, attributes))


def batch(
    name: str,
    requests: Iterable[str | None],
    kind: SpanKind,
    parent: str | None = None,
) -> MaybeSpan:
    """A span for what is done for many requests at once, with a link to each of them that is traced.

    Without a parent of its own it belongs to the trace of its only request, or else begins a trace.
    """
    tracer = _State.tracer
    if tracer is None:
        return _NOTHING
    contexts = [context for each in requests if (context := _read(each))]
    if not contexts:
        return _NOTHING
    above = _read(parent) or (contexts[0] if len(contexts) == 1 else None)
    links = [Link(context) for context in contexts]
    return _current(
        tracer.start_span(
            name, _as_parent(above), kind, {"messaging.batch.message_count": len(contexts)}, links
        )
    )


def told(name: str, requests: Iterable[tuple[str | None, Attributes]]) -> None:
    """Leave a span in the trace of each request that was part of the batch that this task is in, with a link to it."""
    tracer = _State.tracer
    if tracer is None:
        return
    here = trace.get_current_span()
    if not here.is_recording():
        return
    links = [Link(here.get_span_context())]
    began = getattr(here, "start_time", None)
    for parent, attributes in requests:
        if context := _read(parent):
            tracer.start_span(
                name, _as_parent(context), attributes=attributes, links=links, start_time=began
            ).end()


def note(attributes: Attributes) -> None:
    """Say more about the span that this task is in."""
    if _State.tracer is not None:
        trace.get_current_span().set_attributes(attributes)


def current() -> str | None:
    """The trace context of the span that this task is in, for a message that it sends."""
    if _State.tracer is None:
        return None
    here = trace.get_current_span()
    return context_of(here) if here.is_recording() else None


def headers(context: str | None) -> dict[str, Any] | None:
    """AMQP headers that carry a trace context; None without one."""
    return None if context is None else {HEADER: context}


def context_of(of: Span) -> str:
    """The W3C trace context of a span."""
    context = of.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@contextmanager
def _current(of: Span) -> "Iterator[str | None]":
    with trace.use_span(of, end_on_exit=True, record_exception=False):
        yield context_of(of)


def _read(context: str | None) -> SpanContext | None:
    """A trace context that is sampled, or None."""
    if context is None or not sampled(context):
        return None
    try:
        _, trace_id, span_id, _ = context.split("-")
        return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=_SAMPLED)
    except ValueError:
        return None


def _as_parent(context: SpanContext | None) -> "Context":
    """An OpenTelemetry context with this parent, or with none, whatever this task is in."""
    return trace.set_span_in_context(
        trace.INVALID_SPAN if context is None else trace.NonRecordingSpan(context)
    )
