"""Log lines: one JSON object each where a machine reads them, plain text where a person does."""

from __future__ import annotations

from typing import TextIO

import structlog

JSON_FORMAT = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(),
)


def log_to(stream: TextIO) -> None:
    """Send the hub's log lines to a stream: JSON unless it is a terminal.

    A line never mixes with a command's result, which goes to standard output.
    """
    factory = structlog.PrintLoggerFactory(stream)
    if stream.isatty():
        structlog.configure(logger_factory=factory)
    else:
        structlog.configure(processors=list(JSON_FORMAT), logger_factory=factory)
