"""The state of a hub as a hash, and the rows in which two hubs differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, LiteralString

import msgspec
from psycopg import sql

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.app.replay", "state.sql")
FETCH = 5_000


class Digest(msgspec.Struct, frozen=True):
    """One table: how many rows, and the sum of their hashes as hex."""

    rows: int
    hash: str


class Row(msgspec.Struct, frozen=True, order=True):
    """One row in two hubs: its name, and whether it is in the first (`there`) and the second."""

    table: str
    what: str
    there: bool
    here: bool


def digests(connection: Connection) -> dict[str, Digest]:
    """The digest of every state table in the caller's transaction."""
    return {name: _digest(connection, query) for name, query in QUERIES.items()}


def state_hash(tables: Mapping[str, Digest]) -> str:
    """One hash of all tables."""
    text = "\n".join(f"{name} {tables[name].rows} {tables[name].hash}" for name in sorted(tables))
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(connection: Connection, query: LiteralString) -> Digest:
    text = sql.SQL(
        "select count(*), coalesce(sum(('x' || left(h, 16))::bit(64)::bigint::numeric), 0),"
        " coalesce(sum(('x' || right(h, 16))::bit(64)::bigint::numeric), 0)"
        " from (select md5(t::text) as h from ({}) t) x"
    ).format(sql.SQL(query))
    row = connection.execute(text).fetchone() or (0, 0, 0)
    halves = "".join(f"{int(half) % 2**64:016x}" for half in row[1:])
    return Digest(int(row[0]), halves)


def different_rows(there: Connection, here: Connection, table: str) -> Iterator[Row]:
    """Rows of a table that are only in one of two hubs, or read otherwise, in order of name."""
    ours, theirs = _rows(here, table), _rows(there, table)
    left, right = next(theirs, None), next(ours, None)
    while left is not None or right is not None:
        if left == right:
            left, right = next(theirs, None), next(ours, None)
        elif right is None or (left is not None and left[0] < right[0]):
            yield Row(table, (left or ("", ""))[0], there=True, here=False)
            left = next(theirs, None)
        elif left is None or right[0] < left[0]:
            yield Row(table, right[0], there=False, here=True)
            right = next(ours, None)
        else:
            yield Row(table, left[0], there=True, here=True)
            left, right = next(theirs, None), next(ours, None)


def _rows(connection: Connection, table: str) -> Iterator[tuple[str, str]]:
    text = sql.SQL(
        'select what, h from (select t.what collate "C" as what, md5(t::text) as h from ({}) t) x'
        " order by what, h"
    ).format(sql.SQL(QUERIES[table]))
    with connection.cursor(name=f"rows_of_{table}") as cursor:
        cursor.itersize = FETCH
        cursor.execute(text)
        row: Any
        for row in cursor:
            yield row[0], row[1]
