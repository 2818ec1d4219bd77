"""Schedules: named chores with a rhythm, taken by one worker at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from tillbridge.durable.crash_points import reach
from tillbridge.durable.rooms import Connection

_log = structlog.get_logger("schedules")
Chore = Callable[[Connection, datetime], str]


def make(connection: Connection, rhythm: Mapping[str, int]) -> None:
    """Create missing schedules: name -> seconds between runs."""
    connection.execute(
        "insert into schedule (name, every_seconds)"
        " select * from unnest(%b::text[], %b::int[])"
        " on conflict (name) do update set every_seconds = excluded.every_seconds",
        (list(rhythm), list(rhythm.values())),
    )


def run_due(connection: Connection, chores: Mapping[str, Chore], now: datetime) -> list[str]:
    """Run every due chore in a transaction of its own; gives their names.

    The row lock keeps two workers from running the same chore; a chore that fails says so in
    `last_words` and is tried again at its next time.
    """
    ran: list[str] = []
    for name, chore in chores.items():
        row = connection.execute(
            "select every_seconds from schedule where name = %b and next_at <= %b"
            " for update skip locked",
            (name, now),
        ).fetchone()
        if row is None:
            connection.rollback()
            continue
        words = _words(connection, name, chore, now)
        connection.execute(
            "update schedule set last_at = %b, next_at = %b, last_words = %b where name = %b",
            (now, now + timedelta(seconds=int(row[0])), words[:500], name),
        )
        reach("schedules.before_commit")
        connection.commit()
        reach("schedules.after_commit")
        ran.append(name)
    return ran


def _words(connection: Connection, name: str, chore: Chore, now: datetime) -> str:
    """The chore's own words, or its failure; a failure undoes only the chore."""
    try:
        with connection.transaction():
            return chore(connection, now)
    except Exception as problem:  # noqa: BLE001 - a chore must not stop the worker
        _log.exception("chore_failed", chore=name)
        return f"failed: {type(problem).__name__}: {problem}"
