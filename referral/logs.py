"""What is written to the log: events as one JSON object a line, never words, addresses or names."""

from __future__ import annotations

import logging
import sys

import structlog

#: These say at INFO or DEBUG what we do not want written down: addresses, bodies, arguments.
_QUIET = ("httpx", "httpcore", "procrastinate", "psycopg", "psycopg.pool", "sqlalchemy", "sse_starlette")


def configure() -> None:
    """Send our events and those of the libraries to standard error, as JSON."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _without_message],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_exception,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _without_message(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What a library says may quote a request, and an exception with it; the place in the code does not."""
    record: logging.LogRecord = event["_record"]
    return {**event, "event": "", "where": f"{record.module}:{record.lineno}"}


def _without_exception(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """An exception's message may quote a visitor; its kind does not."""
    told = {name: value for name, value in event.items() if name not in ("exc_info", "stack_info")}
    found = event.get("exc_info")
    if isinstance(found, tuple) and found[0]:
        told["exception"] = found[0].__name__
    return told
