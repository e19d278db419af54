"""Structured logs: one JSON object a line on standard output, without any text that people wrote."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from traceback import extract_tb
from types import TracebackType
from typing import Final

import structlog

about: Final[ContextVar[Mapping[str, object]]] = ContextVar("about")
"""What the current task is about. Logs name the trace, the account and the command of it, where it has them."""

_NAMED: Final = ("trace_id", "account_id", "command_id")

Logger = structlog.stdlib.BoundLogger

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

_QUOTING_NOBODY: Final = (OSError, RuntimeError, TypeError, AttributeError, ImportError)
"""What a database or a parser says may quote a ticket; what these say is about the program."""


def logger(name: str) -> Logger:
    """A logger for one module; call it at import, configure once at start."""
    log: Logger = structlog.stdlib.get_logger(name)
    return log


def configure(*, service: str, replica: str, level: str) -> None:
    """Send structlog's and the standard library's records to standard output as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _named,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_trace),
        _stamp(service, replica),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("aiormq", "aio_pika", "httpx", "httpx2", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _named(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    subject = about.get({})
    for name in _NAMED:
        if name in subject:
            event.setdefault(name, str(subject[name]))
    return event


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace that a W3C trace context belongs to, as logs name it."""
    parts = traceparent.split("-") if traceparent else []
    return parts[1] if len(parts) == 4 else None  # noqa: PLR2004


def _trace(exc_info: _ExcInfo) -> str:
    """An exception and its causes, by their names and places."""
    return "\n".join(line for error in _causes(exc_info[1]) for line in _lines(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _lines(error: BaseException) -> Iterator[str]:
    yield f"{type(error).__module__}.{type(error).__qualname__}" + (
        f": {error}" if isinstance(error, _QUOTING_NOBODY) else ""
    )
    for frame in extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} {frame.name}"


def _stamp(service: str, replica: str) -> structlog.typing.Processor:
    def stamp(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event.update(service=service, replica=replica)
        return event

    return stamp
