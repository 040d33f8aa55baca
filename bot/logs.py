"""How the bot logs: one JSON object a line, events and pseudonyms only."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs() -> None:
    """Send our events and the libraries' warnings to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # An exception's message may quote a visitor; its kind and place do not.
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_WithoutWords())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class _WithoutWords(logging.Formatter):
    """Libraries' records by logger, level and kind of exception; their messages may quote a request."""

    def format(self, record: logging.LogRecord) -> str:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        return structlog.processors.JSONRenderer(sort_keys=True)(
            None,
            "",
            {
                "logger": record.name,
                "level": record.levelname.lower(),
                "exception": kind,
                "where": f"{record.module}:{record.lineno}",
            },
        ).__str__()
