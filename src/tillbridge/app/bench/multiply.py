"""A small hub made large: every row copied in sets, each copy under keys and numbers of its own.

Keys, operations and ids of facts begin with their kind (`order/`, `sale/`, ...); copy k puts `k.`
behind the kind, in columns and in bodies alike. Numbers of records and messages are shifted.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from tillbridge.atoms.ids import lane_of
from tillbridge.durable import retention
from tillbridge.durable.rooms import Connection

_KINDS: LiteralString = "order|sale|till|cash|journal|reread|delivery|stock|party"


def _renamed(column: LiteralString) -> LiteralString:
    return f"regexp_replace({column}, '^({_KINDS})/', '\\1/' || c.k || '.')"


def _retold(text: LiteralString) -> LiteralString:
    return f"regexp_replace({text}, '\"({_KINDS})/', '\"\\1/' || c.k || '.', 'g')"


_BODY = _retold("convert_from(t.body, 'UTF8')")
_RECORD = f"""regexp_replace({_BODY}, '"message":(\\d+)', '"message":' ||
  (coalesce(substring(convert_from(t.body, 'UTF8') from '"message":(\\d+)')::bigint, 0)
   + c.k * %(messages)s))"""

# table -> column -> what a copy has there (t: the row, k: number of the copy)
COPIES: dict[LiteralString, dict[LiteralString, LiteralString]] = {
    "message": {
        "id": "t.id + c.k * %(messages)s",
        "delivery": "t.delivery || '-' || c.k",
        "body": "t.body || convert_to(repeat(' ', c.k), 'UTF8')",
    },
    "delivery": {
        "id_hash": "md5(t.id_hash::text || c.k)::uuid",
        "body_hash": "(select sha256(m.body || convert_to(repeat(' ', c.k), 'UTF8'))"
        " from message m where m.id = t.message)",
        "message": "t.message + c.k * %(messages)s",
    },
    "record": {
        "id": "t.id + c.k * %(records)s",
        "lane": "(select l.lane from bench_lane l where l.key = t.key and l.k = c.k)",
        "key": _renamed("t.key"),
        "cause": "t.cause + c.k * %(records)s",
        "body": "convert_to("
        f"case when t.type = 'Received' then {_RECORD} else {_BODY} end, 'UTF8')",
    },
    "order_state": {"key": _renamed("t.key"), "body": f"convert_to({_BODY}, 'UTF8')"},
    "sale_state": {"key": _renamed("t.key")},
    "sale_void": {"voided": _renamed("t.voided"), "fact": _renamed("t.fact")},
    "entry": {
        "id": "md5(t.id::text || c.k)::uuid",
        "reverses": "md5(t.reverses::text || c.k)::uuid",
        "fact": _renamed("t.fact"),
        "key": _renamed("t.key"),
    },
    "entry_line": {"entry": "md5(t.entry::text || c.k)::uuid", "item": _renamed("t.item")},
    "journal_summary": {"op": _renamed("t.op"), "entry": "md5(t.entry || c.k)::uuid::text"},
    "stock_movement": {
        "id": "t.id + c.k * %(movements)s",
        "fact": _renamed("t.fact"),
        "key": _renamed("t.key"),
    },
    "reservation": {"key": _renamed("t.key")},
    "hold": {"key": _renamed("t.key")},
    "document": {
        "op": _renamed("t.op"),
        "key": _renamed("t.key"),
        "remote_id": "t.remote_id || '-' || c.k",
    },
}
"""Tables in the order they are copied: a delivery's hash needs its message still single."""


def multiply(connection: Connection, records: int) -> int:
    """Copy everything until the log has about `records` records; gives the number of copies."""
    shifts = _shifts(connection)
    seed = max(shifts["seed"], 1)
    copies = max(round(records / seed) - 1, 0)
    connection.execute("set session_replication_role = replica")
    _room(connection, shifts, copies)
    _lanes(connection, copies)
    for table in ("delivery", *(name for name in COPIES if name != "delivery")):
        _copy(connection, table, {**shifts, "copies": copies})
    connection.execute(
        "update stock_movement set quantity = quantity * %b where kind in ('opening', 'count')",
        (copies + 1,),
    )
    connection.execute(
        "update stock s set on_hand = coalesce(m.sum, 0),"
        " reserved = case s.condition when 'sellable'"
        "  then coalesce(r.sum, 0) else 0 end"
        " from stock x"
        " left join (select location, product, condition, sum(quantity) from stock_movement"
        "  group by 1, 2, 3) m"
        " using (location, product, condition)"
        " left join (select location, product, sum(quantity) from reservation group by 1, 2) r"
        " using (location, product)"
        " where s.location = x.location and s.product = x.product and s.condition = x.condition"
    )
    connection.execute("update cursor set pos = (select max(id) from record)")
    connection.execute("set session_replication_role = default")
    connection.commit()
    connection.autocommit = True
    connection.execute("vacuum analyze")
    connection.autocommit = False
    return copies


def _shifts(connection: Connection) -> dict[str, int]:
    row = connection.execute(
        "select (select count(*) from record), (select coalesce(max(id), 1) from record),"
        " (select coalesce(max(id), 1) from message),"
        " (select coalesce(max(id), 1) from stock_movement)"
    ).fetchone()
    seed, top, messages, movements = (int(value) for value in row or (0, 0, 0, 0))
    return {"seed": seed, "records": top, "messages": messages, "movements": movements}


def _room(connection: Connection, shifts: dict[str, int], copies: int) -> None:
    """Sequences above what the copies will have, and partitions for them."""
    for table, size in (("record", "records"), ("message", "messages")):
        query = "select setval(pg_get_serial_sequence(%b, 'id'), %b)"
        connection.execute(query, (table, shifts[size] * (copies + 1)))
    movements = shifts["movements"] * (copies + 1)
    query = "select setval(pg_get_serial_sequence('stock_movement', 'id'), %b)"
    connection.execute(query, (movements,))
    retention.make_partitions(connection)


def _lanes(connection: Connection, copies: int) -> None:
    """The lane of every copied key; crc32 is not SQL's before PostgreSQL 18."""
    connection.execute("create temp table bench_lane (key text, k int, lane smallint)")
    rows = connection.execute(
        sql.SQL("select t.key, c.k, {} from (select distinct key from record) t"
                " cross join generate_series(1, %b::int) c (k)").format(sql.SQL(_renamed("t.key"))),
        (copies,),
    ).fetchall()  # fmt: skip
    with connection.cursor() as cursor, cursor.copy("copy bench_lane from stdin") as writer:
        for key, k, renamed in rows:
            writer.write_row((key, k, lane_of(renamed)))
    connection.execute("create unique index on bench_lane (key, k)")
    connection.execute("analyze bench_lane")


def _copy(connection: Connection, table: LiteralString, values: dict[str, int]) -> None:
    found = connection.execute(
        "select attname from pg_attribute where attrelid = %b::regclass and attnum > 0"
        " and not attisdropped order by attnum",
        (table,),
    ).fetchall()
    columns = [name for (name,) in found]
    copied = [
        sql.SQL(COPIES[table][name]) if name in COPIES[table] else sql.Identifier("t", name)
        for name in columns
    ]
    query = sql.SQL(
        "insert into {table} ({columns}) overriding system value select {copied}"
        " from {table} t cross join generate_series(1, %(copies)s::int) c (k) {where}"
    ).format(
        table=sql.Identifier(table),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        copied=sql.SQL(", ").join(copied),
        where=sql.SQL(
            "where t.kind not in ('opening', 'count')" if table == "stock_movement" else ""
        ),
    )
    connection.execute(query, values)
