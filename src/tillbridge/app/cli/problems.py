"""Errors as words for a person."""

from __future__ import annotations

import os
import traceback
from tempfile import mkstemp

import psycopg

from tillbridge.app.logs import fit_to_tell
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.canonical.cards import shown
from tillbridge.durable.migrate import MigrationRefused
from tillbridge.durable.postgres import PostgresError
from tillbridge.posting.money.chart import BookRefused


def words_of(problem: Exception) -> str | None:
    """One or a few lines that say what is wrong and what to do; None with TILLBRIDGE_DEBUG=1.

    A defect of ours leaves its traceback in a file and names it.
    """
    words = _words(problem)
    return None if words is None else shown(words)


def _words(problem: Exception) -> str | None:
    if isinstance(problem, (Refused, NeedsDecision, RetryLater)):
        return problem.words
    if isinstance(problem, (PostgresError, MigrationRefused, BookRefused)):
        return str(problem)
    if isinstance(problem, psycopg.errors.IntegrityConstraintViolation):  # a trigger's own words
        return f"the database refuses it: {str(problem).splitlines()[0]}"
    if os.environ.get("TILLBRIDGE_DEBUG"):
        return None
    if isinstance(problem, psycopg.OperationalError):
        return f"the database does not answer: {str(problem).strip().splitlines()[0]}"
    if isinstance(problem, OSError):
        return f"{problem.strerror}: {problem.filename}" if problem.filename else str(problem)
    words = fit_to_tell(f"{type(problem).__name__}: {problem}")
    return f"this is a defect of ours: {words}\nthe traceback is in {_noted(problem)}"


def _noted(problem: Exception) -> str:
    """The file a traceback was put into: new, and only its owner's."""
    handle, name = mkstemp(prefix="tillbridge-defect-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(fit_to_tell("".join(traceback.format_exception(problem))))
    return name
