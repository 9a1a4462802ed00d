"""Structured logs: a constant phrase per event, everything that varies as key and value.

`log = logs.get(__name__)`, then `log.warning("stream lost", peer=..., open_requests=...)`. Per-message events do not
exist: the message path counts, it does not log. Bodies, tokens and passwords never go into a log; keys with such names
are blanked as a second line of defence.
"""

import logging
import sys
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from im_infra.observability import traceparent
from im_infra.observability.tracing import active_span

Format = Literal["console", "json"]
Level = Literal["debug", "info", "warning", "error"]

_CHATTY: Final = ("aiokafka", "alembic")
"""Libraries whose info is for their own developers."""
_REPETITIVE: Final = ("aiokafka", "opentelemetry")
"""Libraries that say the same many times a second while a server is away."""
_SILENCE_S: Final = 30.0
_BLANKED_KEYS: Final = frozenset(
    {"access_token", "authorization", "body", "cookie", "password", "refresh_token", "resume_token", "secret", "text"}
    | {"ticket", "token"}
)


def configure(format: Format = "console", level: Level = "info", *, stream: TextIO | None = None) -> None:  # noqa: A002 - the setting's own name
    """Set up logging for the process, that of libraries on `logging` included; may be called again.

    Args:
        format: `console` for people, `json` (one object a line) for collectors.
        level: the least severe level that is written.
        stream: where to; stderr by default.
    """
    output = stream or sys.stderr
    number = logging.getLevelName(level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _tell_span,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _blank_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # so that it can be configured again; nothing hot logs
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_renderers(format, output))
    )
    handler.addFilter(_Seldom())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def get(name: str) -> FilteringBoundLogger:
    """The logger of a module; cheap, and good to call at import time."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


class _Seldom(logging.Filter):
    """Lets a line of a repetitive library through once in 30 s."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, object], float] = {}  # by logger and phrase: as many as the library has

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(_REPETITIVE):
            return True
        phrase = record.name, record.msg
        if abs(record.created - self._said.get(phrase, 0.0)) < _SILENCE_S:  # a clock that steps back included
            return False
        self._said[phrase] = record.created
        return True


def _renderers(format: Format, output: TextIO) -> list[Processor]:  # noqa: A002 - as above
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if format == "json":
        return [
            strip,
            structlog.processors.format_exc_info,
            _head_first,
            structlog.processors.JSONRenderer(sort_keys=False, default=str),
        ]
    return [
        strip,
        structlog.dev.ConsoleRenderer(
            colors=output.isatty(),
            timestamp_key="time",
            exception_formatter=structlog.dev.plain_traceback,  # the rich one prints locals, secrets among them
        ),
    ]


def _head_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """What every line has stands first, so that lines can be read without a tool too."""
    head: EventDict = {key: event[key] for key in ("time", "level", "logger", "event") if key in event}
    return {**head, **event}


def _tell_span(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Lines of a sampled request carry the ids under which its trace is found."""
    span = active_span()
    if span is not None and span.context:
        event["trace_id"] = traceparent.trace_id(span.context)
        event["span_id"] = traceparent.span_id(span.context)
    return event


def _blank_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    blanked: dict[str, Any] = {key: "***" for key in event if key in _BLANKED_KEYS}
    event.update(blanked)
    return event
