"""Log lines: one JSON object each where a machine reads them, plain text where a person does.

What must not be in a log is taken out here, on the one way to it, whoever wrote the line: values
of secrets that were read, card numbers, and the rows that the database quotes in its errors, which
hold buyers. What strangers wrote cannot begin a line of its own.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from tillbridge.atoms.card_numbers import mask_text
from tillbridge.canonical.cards import masked, shown

HIDDEN = "[hidden]"
TEXT_MOST = 20_000
_SECRET_SHORTEST = 6
# What PostgreSQL says after its one line of words, up to what says something else again.
_QUOTED_ROW = re.compile(
    r"^([ \t]*(?:DETAIL|CONTEXT|QUERY):).*?"
    r"(?=^\s*(?:(?:HINT|DETAIL|CONTEXT|QUERY):|Traceback \(|During handling|The above)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]|\n(?=.)")
_LINES = ("exception", "stack")
_secrets: set[str] = set()


def hide(value: str) -> str:
    """Never let this value into a log line from now on; gives it back."""
    if len(value) >= _SECRET_SHORTEST:
        _secrets.add(value)
    return value


def fit_to_tell(text: str) -> str:
    """A text without secrets, numbers of cards and quoted rows, for logs and traceback files."""
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    return shown(mask_text(_QUOTED_ROW.sub(rf"\1 {HIDDEN}\n", text[:TEXT_MOST])))


def _fit(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Processor: every text of a line, at any depth."""
    return {str(_told(name)): _field(name, value) for name, value in event.items()}


def _on_one_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Processor: control characters shown, so that no value looks like another line."""
    return {
        name: _CONTROL.sub(lambda found: repr(found.group())[1:-1], value)
        if isinstance(value, str) and name not in _LINES
        else value
        for name, value in event.items()
    }


def _field(name: Any, value: Any) -> Any:
    return masked(value) if name == "card" and isinstance(value, str) else _told(value)


def _told(value: Any) -> Any:
    if isinstance(value, str):
        return fit_to_tell(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, Mapping):
        return {_told(name): _field(name, inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_told(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return fit_to_tell(str(value))


JSON_FORMAT = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _fit,
    structlog.processors.JSONRenderer(),
)
TEXT_FORMAT = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=True),
    structlog.processors.format_exc_info,
    _fit,
    _on_one_line,
    structlog.dev.ConsoleRenderer(),
)


class _LibraryLines(logging.Handler):
    """What libraries warn of takes the same way as our own lines, so the same is hidden in it."""

    def emit(self, record: logging.LogRecord) -> None:
        told = {"library": record.name, "said": record.getMessage()}
        structlog.get_logger("library").log(
            record.levelno, "library_said", **told, exc_info=record.exc_info or False
        )


_LIBRARY_LINES = _LibraryLines(logging.WARNING)


def log_to(stream: TextIO) -> None:
    """Send the hub's log lines to a stream: JSON unless it is a terminal.

    A line never mixes with a command's result, which goes to standard output.
    """
    logging.getLogger().addHandler(_LIBRARY_LINES)
    # psycopg warns of every statement that is skipped behind one that failed; the failure is told.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    processors = TEXT_FORMAT if stream.isatty() else JSON_FORMAT
    structlog.configure(
        processors=list(processors), logger_factory=structlog.PrintLoggerFactory(stream)
    )
