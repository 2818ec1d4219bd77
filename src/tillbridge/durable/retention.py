"""Partitions of message and record: made ahead of the ids, dropped after the retention time.

Identities (`delivery`), documents, entries and cases are no partitions and outlive the bodies, so
dropping old partitions forgets no duplicate.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from psycopg import sql

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.durable", "retention.sql")
PARTITION_IDS = 1_000_000
AHEAD = 2
TABLES = ("message", "record")
_BOUND = re.compile(r"FROM \('(\d+)'\) TO \('(\d+)'\)")


def make_partitions(connection: Connection, size: int = PARTITION_IDS) -> list[str]:
    """Create partitions so that `AHEAD` empty ones follow the one in use; gives the new names.

    Runs in the caller's transaction, under its own advisory lock.
    """
    connection.execute(QUERIES.lock)
    made: list[str] = []
    for table in TABLES:
        top = _highest(connection, table)
        end = max((upper for _, _, upper in _partitions(connection, table)), default=0)
        while end < top + size * AHEAD or end == 0:
            made.append(_make(connection, table, end, end + size))
            end += size
    return made


def _make(connection: Connection, table: str, lower: int, upper: int) -> str:
    """One partition, made apart and then attached: unlike `create table ... partition of` that
    waits for no reader or appender, and so makes nobody queue behind it.
    """
    name = f"{table}_{lower}"
    words = {
        "name": sql.Identifier(name),
        "table": sql.Identifier(table),
        "lower": sql.Literal(lower),
        "upper": sql.Literal(upper),
    }
    for text in (QUERIES.make_apart, QUERIES.attach):
        connection.execute(sql.SQL(text).format(**words))
    return name


def drop_done_partitions(
    connection: Connection,
    keep_ids: int = 0,
    *,
    before: datetime | None = None,
    tables: tuple[str, ...] = TABLES,
    records_below: int | None = None,
) -> list[str]:
    """Drop partitions that end more than `keep_ids` below the newest id, hold nothing that came
    at or after `before`, and that every consumer is past; gives their names. records_below: those
    of `record` only below this number (what a replay from a checkpoint no longer reads).

    A message partition goes only when its ids are below every message that a pending or parked
    record still has to read. Parked records carry their own body. Dropping needs the table for
    itself: when somebody holds it, LockNotAvailable comes at once rather than a queue behind us.
    """
    connection.execute(QUERIES.lock)
    connection.execute(QUERIES.hurry)
    row = connection.execute(QUERIES.slowest_cursor).fetchone()
    slowest = int(row[0]) if row else 0
    dropped: list[str] = []
    oldest_message = _oldest_needed_message(connection, slowest)
    limits = {"record": slowest, "message": oldest_message}
    if records_below is not None:
        limits["record"] = min(slowest, records_below)
    for table in tables:
        newest = _highest(connection, table)
        for name, _, upper in _partitions(connection, table):
            if upper > newest - keep_ids or upper > limits[table]:
                continue
            if before is None or _all_before(connection, table, upper, before):
                connection.execute(sql.SQL("drop table {}").format(sql.Identifier(name)))
                dropped.append(name)
    return dropped


def _all_before(connection: Connection, table: str, upper: int, before: datetime) -> bool:
    """Whether everything below an id came before an instant: ids rise with time, so the first
    row that follows tells.
    """
    query = QUERIES.first_message_from if table == "message" else QUERIES.first_record_from
    row = connection.execute(query, (upper,)).fetchone()
    return row is not None and bool(row[0] < before)


def expire_deliveries(connection: Connection, before: date) -> int:
    """Forget delivery identities older than a day, 10,000 at a time; gives how many went."""
    return connection.execute(QUERIES.expire_deliveries, (before,)).rowcount


def _oldest_needed_message(connection: Connection, slowest: int) -> int:
    """Lowest message id that a pending or parked `Received` still points at."""
    row = connection.execute(
        "select least("
        " (select min((convert_from(body, 'UTF8')::json->>'message')::bigint) from record"
        "   where type = 'Received' and not fused and id > %b),"
        " (select min((convert_from(body, 'UTF8')::json->>'message')::bigint) from parked"
        "   where type = 'Received'))",
        (slowest,),
    ).fetchone()
    if row is None or row[0] is None:
        return _highest(connection, "message")
    return int(row[0])


def _highest(connection: Connection, table: str) -> int:
    row = connection.execute(QUERIES.highest, (table,)).fetchone()
    return int(row[0]) if row else 0


def _partitions(connection: Connection, table: str) -> list[tuple[str, int, int]]:
    found = []
    for name, bound in connection.execute(QUERIES.partitions, (table,)).fetchall():
        match = _BOUND.search(bound)
        if match:
            found.append((name, int(match[1]), int(match[2])))
    return found


def first_kept(connection: Connection, table: str) -> int:
    """Below this number the rows of `message` or `record` were dropped with their partitions."""
    return min((lower for _, lower, _ in _partitions(connection, table)), default=0)
