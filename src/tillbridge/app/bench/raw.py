"""The raw side of a bench: the very rows the hub wrote, written again without the hub.

Rows are read back from the hub's tables with the transaction that wrote them (`xmin`), so that
tables, indexes, row contents, batches and commits are the same; they are built before the clock
starts. Both ways are timed, COPY and INSERT from unnest with binary arrays; the faster one counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import msgspec
from psycopg import sql

from tillbridge.atoms.clock import Clock
from tillbridge.durable.rooms import Connection

Row = tuple[Any, ...]

# table -> (columns, their types); identity columns are drawn anew, as the hub draws them
TABLES: dict[str, dict[str, str]] = {
    "party": {"party": "text", "connection": "text", "details": "bytea"},
    "order_state": {
        "key": "text", "revision": "int", "number": "text", "channel": "text", "status": "text",
        "currency": "text", "total": "bigint", "placed_at": "timestamptz", "body": "bytea",
    },
    "document": {
        "dest": "smallint", "op": "text", "key": "text", "kind": "text", "state": "text",
        "total": "bigint", "day": "date",
    },
    "job": {
        "dest": "smallint", "key": "text", "op": "text", "type": "text", "version": "smallint",
        "trace": "bytea",
        "body": "bytea",
    },
    "outkey": {
        "dest": "smallint", "key": "text", "prio": "smallint", "due": "timestamptz", "n": "int",
    },
    "entry": {
        "id": "uuid", "fact": "text", "fact_type": "text", "fact_hash": "bytea", "key": "text",
        "entity": "text", "rule": "text", "rule_version": "text", "rule_hash": "bytea",
        "business_date": "date", "posted_date": "date", "currency": "text", "flow": "text",
        "channel": "text", "location": "text", "gl": "text", "reverses": "uuid",
        "lines": "smallint", "at": "timestamptz",
    },
    "entry_line": {
        "entry": "uuid", "n": "smallint", "account": "text", "amount": "bigint",
        "txn_amount": "bigint", "txn_currency": "text", "item": "text",
    },
    "reservation": {
        "key": "text", "line": "text", "location": "text", "product": "text", "quantity": "bigint",
    },
    "hold": {"key": "text", "version": "int", "ok": "bool", "short": "text"},
    "record": {
        "lane": "smallint", "key": "text", "type": "text", "version": "smallint", "fused": "bool",
        "trace": "bytea", "cause": "bigint", "body": "bytea",
    },
}  # fmt: skip
LAST = "record"
_STOCK: LiteralString = (
    "update stock s set reserved = s.reserved + x.q"
    " from unnest(%b::text[], %b::text[], %b::bigint[]) x (l, p, q)"
    " where s.location = x.l and s.product = x.p"
)
_CURSORS: LiteralString = (
    "update cursor set pos = pos, moved_at = now()"
    " from unnest(%b::smallint[]) x (l) where consumer = 'flow' and lane = x.l"
)


class Batch(msgspec.Struct):
    """One transaction of the hub: rows per table, stock changes, lanes whose cursor moved."""

    rows: dict[str, list[Row]] = msgspec.field(default_factory=dict)
    stock: dict[tuple[str, str], int] = msgspec.field(default_factory=dict)

    @property
    def lanes(self) -> list[int]:
        """Lanes of its records."""
        return sorted({row[0] for row in self.rows.get(LAST, ())})


def read_batches(connection: Connection, above: int) -> list[Batch]:
    """What the hub wrote, by transaction; above: record id before the run."""
    batches: dict[str, Batch] = {}
    for name, columns in TABLES.items():
        where: sql.Composable = sql.SQL("")
        if name == LAST:
            where = sql.SQL("where fused and id > {}").format(sql.Literal(above))
        query = sql.SQL("select xmin::text, {} from {} {}").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(name), where
        )
        for xmin, *row in connection.execute(query, binary=True).fetchall():
            batches.setdefault(xmin, Batch()).rows.setdefault(name, []).append(tuple(row))
    connection.rollback()
    found = [batch for batch in batches.values() if LAST in batch.rows]
    for batch in found:
        for _, _, location, product, quantity in batch.rows.get("reservation", ()):
            place = (location, product)
            batch.stock[place] = batch.stock.get(place, 0) + quantity
    return found


def clear(connection: Connection, above: int) -> None:
    """Take what the hub wrote out again, so that the raw side writes into the same tables."""
    connection.execute("set session_replication_role = replica")
    names = [name for name in TABLES if name != LAST]
    connection.execute(
        sql.SQL("truncate {}").format(sql.SQL(", ").join(map(sql.Identifier, names)))
    )
    connection.execute("delete from record where fused and id > %b", (above,))
    connection.execute("update stock set reserved = 0")
    connection.execute("set session_replication_role = default")
    connection.commit()
    connection.autocommit = True
    connection.execute("vacuum analyze")
    connection.execute("checkpoint")
    connection.autocommit = False


def write(connection: Connection, batches: Sequence[Batch], *, copy: bool, clock: Clock) -> float:
    """Write all batches one way; gives seconds."""
    columns = [_columns(batch) for batch in batches]
    copies = {name: _copy_statement(name) for name in TABLES}
    inserts = {name: _insert_statement(name) for name in TABLES}
    began = clock.monotonic()
    for batch, prepared in zip(batches, columns, strict=True):
        for name in TABLES:
            if name in batch.rows and name != LAST:
                _write(connection, name, batch, prepared, copies if copy else inserts, copy=copy)
        places = sorted(batch.stock)
        connection.execute(
            _STOCK,
            ([p[0] for p in places], [p[1] for p in places], [batch.stock[p] for p in places]),
            binary=True,
        )
        connection.execute(_CURSORS, (batch.lanes,), binary=True)
        connection.execute("select pg_advisory_xact_lock(77)")
        _write(connection, LAST, batch, prepared, copies if copy else inserts, copy=copy)
        connection.execute("notify jobs")
        connection.commit()
    return clock.monotonic() - began


def _columns(batch: Batch) -> dict[str, list[list[Any]]]:
    return {
        name: [list(column) for column in zip(*rows, strict=True)]
        for name, rows in batch.rows.items()
    }


def _write(
    connection: Connection,
    name: str,
    batch: Batch,
    prepared: Mapping[str, list[list[Any]]],
    statements: Mapping[str, sql.Composed],
    *,
    copy: bool,
) -> None:
    if not copy:
        connection.execute(statements[name], prepared[name], binary=True)
        return
    with connection.cursor() as cursor, cursor.copy(statements[name]) as writer:
        writer.set_types(list(_copy_types(name)))
        for row in batch.rows[name]:
            writer.write_row(row)


def _copy_types(name: str) -> list[str]:
    short = {"smallint": "int2", "int": "int4", "bigint": "int8"}
    return [short.get(kind, kind) for kind in TABLES[name].values()]


def _copy_statement(name: str) -> sql.Composed:
    return sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, TABLES[name]))
    )


def _insert_statement(name: str) -> sql.Composed:
    arrays = sql.SQL(", ").join(
        sql.SQL("%b::{}[]").format(sql.SQL(kind)) for kind in TABLES[name].values()
    )
    return sql.SQL("insert into {} ({}) select * from unnest({})").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, TABLES[name])), arrays
    )
