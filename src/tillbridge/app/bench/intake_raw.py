"""The raw side of `bench intake`: the rows intake wrote, written again by the database alone.

Rows are read back with the transaction that wrote them (`xmin`): same tables, indexes, contents,
groups and commits. They are built before the clock starts. Two ways are timed: COPY in binary,
and INSERT from unnest with binary arrays sent with lock, NOTIFY and COMMIT in one pipeline; the
faster one counts. Nothing is looked up and nothing is refused here: this is the ceiling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, LiteralString

import msgspec

from tillbridge.atoms.clock import Clock
from tillbridge.durable.rooms import Connection

Table = tuple[LiteralString, LiteralString, LiteralString, LiteralString]
"""Name, columns, their types, and what an INSERT says of identity columns."""
Row = tuple[Any, ...]

_LOCK: LiteralString = "select pg_advisory_xact_lock(77)"
_NOTIFY: LiteralString = "notify log"
_MESSAGE: Table = (
    "message",
    "id, connection, topic, delivery, place, problem, headers, body, received_at",
    "bigint smallint text text text text bytea bytea timestamptz",
    " overriding system value",
)
_DELIVERY: Table = (
    "delivery",
    "connection, id_hash, body_hash, message, day",
    "smallint uuid bytea bigint date",
    "",
)
_RECORD: Table = (
    "record",
    "lane, key, type, version, fused, trace, cause, body",
    "smallint text text smallint bool bytea bigint bytea",
    "",
)
_SHORT = {"smallint": "int2", "bigint": "int8"}


class Group(msgspec.Struct):
    """One commit: rows of the three tables."""

    delivery: list[Row] = []
    message: list[Row] = []
    record: list[Row] = []


def read_groups(connection: Connection, most: int) -> list[Group]:
    """About the first `most` deliveries by the transactions that wrote them, in commit order."""
    groups: dict[str, Group] = {}
    for xmin, *row in connection.execute(_select(_RECORD, " order by id"), binary=True):
        groups.setdefault(xmin, Group()).record.append(tuple(row))
    groups = dict(_first(groups, most))
    wanted = list(groups)
    where: LiteralString = " where xmin::text = any(%b::text[])"
    for xmin, *row in connection.execute(_select(_MESSAGE, where), (wanted,), binary=True):
        groups[xmin].message.append(tuple(row))
    for xmin, *row in connection.execute(_select(_DELIVERY, where), (wanted,), binary=True):
        groups[xmin].delivery.append(tuple(row))
    connection.rollback()
    return list(groups.values())


def clear(connection: Connection) -> None:
    """Empty the three tables, so that both sides begin alike."""
    connection.execute("truncate message, delivery, record")
    connection.commit()
    connection.autocommit = True
    connection.execute("vacuum analyze")
    connection.execute("checkpoint")
    connection.autocommit = False


def write_by_copy(connection: Connection, groups: Sequence[Group], clock: Clock) -> float:
    """Seconds to write all groups by binary COPY."""
    began = clock.monotonic()
    for group in groups:
        _copy(connection, _DELIVERY, group.delivery)
        _copy(connection, _MESSAGE, group.message)
        connection.execute(_LOCK)
        _copy(connection, _RECORD, group.record)
        connection.execute(_NOTIFY)
        connection.commit()
    return clock.monotonic() - began


def write_by_unnest(connection: Connection, groups: Sequence[Group], clock: Clock) -> float:
    """Seconds to write all groups by INSERT from arrays, each group in one pipeline."""
    statements = [_insert(table) for table in (_DELIVERY, _MESSAGE, _RECORD)]
    columns = [
        [
            [list(column) for column in zip(*rows, strict=True)]
            for rows in (group.delivery, group.message, group.record)
        ]
        for group in groups
    ]
    began = clock.monotonic()
    for delivery, message, record in columns:
        with connection.pipeline():
            connection.execute(statements[0], delivery, binary=True)
            connection.execute(statements[1], message, binary=True)
            connection.execute(_LOCK)
            connection.execute(statements[2], record, binary=True)
            connection.execute(_NOTIFY)
            connection.commit()
    return clock.monotonic() - began


def _first(groups: Mapping[str, Group], most: int) -> Iterator[tuple[str, Group]]:
    count = 0
    for xmin, group in groups.items():
        if count >= most:
            return
        count += len(group.record)
        yield xmin, group


def _select(table: Table, rest: LiteralString) -> LiteralString:
    return f"select xmin::text, {table[1]} from {table[0]}{rest}"  # noqa: S608 - ours


def _copy(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    name, columns, kinds, _ = table
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy {name} ({columns}) from stdin (format binary)") as writer,
    ):
        writer.set_types([_SHORT.get(kind, kind) for kind in kinds.split()])
        for row in rows:
            writer.write_row(row)


def _insert(table: Table) -> LiteralString:
    name, columns, kinds, overriding = table
    arrays: LiteralString = ", ".join(f"%b::{kind}[]" for kind in kinds.split())
    return f"insert into {name} ({columns}){overriding} select * from unnest({arrays})"  # noqa: S608 - ours
