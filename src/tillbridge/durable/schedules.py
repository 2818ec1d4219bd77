"""Schedules: named chores with a rhythm, taken by one worker at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from tillbridge.durable.crash_points import reach
from tillbridge.durable.rooms import Connection

_log = structlog.get_logger("schedules")
Chore = Callable[[Connection, datetime], str]


def make(connection: Connection, rhythm: Mapping[str, int], first_seconds: int = 0) -> None:
    """Create missing schedules: name -> seconds between runs, the first one after a while."""
    connection.execute(
        "insert into schedule (name, every_seconds, next_at)"
        " select n, e, now() + make_interval(secs => %b)"
        " from unnest(%b::text[], %b::int[]) x (n, e)"
        " on conflict (name) do update set every_seconds = excluded.every_seconds",
        (first_seconds, list(rhythm), list(rhythm.values())),
    )


def begin(connection: Connection, name: str, now: datetime, again: timedelta) -> bool:
    """Take a due chore that is too long for one transaction; the caller commits, then works.

    again: when another worker takes it, should this one not live to say `done`.
    """
    return bool(
        connection.execute(
            "update schedule set next_at = %b, last_words = 'running'"
            " where name = %b and next_at <= %b",
            (now + again, name, now),
        ).rowcount
    )


def done(connection: Connection, name: str, began: datetime, words: str) -> None:
    """What a chore taken by `begin` has to say; its next time is counted from its beginning."""
    connection.execute(
        "update schedule set last_at = %(began)s, last_words = %(words)s,"
        " next_at = %(began)s + make_interval(secs => every_seconds) where name = %(name)s",
        {"began": began, "words": words[:500], "name": name},
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
