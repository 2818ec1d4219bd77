"""The one error of the embedded server: its words say what to do next."""

from __future__ import annotations


class PostgresError(Exception):
    """The database server could not be found, made, started, stopped, saved or restored.

    The text is for a person and names the next step; no traceback is needed to act on it.
    """
