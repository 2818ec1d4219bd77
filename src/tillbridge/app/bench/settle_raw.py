"""The settlement bench's other ways: a raw load with a join in SQL, and a merge of the files in
memory where the library for it is installed.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psycopg import sql

from tillbridge.durable.rooms import Connection

CHUNK = 1 << 20
_JOIN = (
    "create table raw_joined as select r.*, m.key as money, m.amount::bigint as held"
    " from raw_line r left join money_movement m"
    " on m.reference = r.source and m.kind = case r.reporting_category"
    " when 'charge' then 'sale' when 'refund' then 'refund' end"
)


def raw_seconds(connection: Connection, path: Path, header: Sequence[str]) -> float:
    """Seconds to copy the file into a table of texts and to join it with the money, committed."""
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(one)) for one in header)
    connection.execute(sql.SQL("create table raw_line ({})").format(columns))
    connection.commit()
    began = time.perf_counter()
    with (
        path.open("rb") as file,
        connection.cursor() as cursor,
        cursor.copy("copy raw_line from stdin (format csv, header)") as copy,
    ):
        while chunk := file.read(CHUNK):
            copy.write(chunk)
    connection.execute("analyze raw_line")
    connection.execute(_JOIN)
    connection.commit()
    return time.perf_counter() - began


def merged(path: Path, connection: Connection) -> dict[str, Any]:
    """Seconds of a merge in polars, {} where it is not installed."""
    if importlib.util.find_spec("polars") is None:
        return {"merge_way": "polars is not installed"}
    polars = importlib.import_module("polars")
    rows = connection.execute("select reference, key, amount from money_movement").fetchall()
    connection.rollback()
    money = polars.DataFrame(rows, schema=["source", "key", "held"], orient="row")
    began = time.perf_counter()
    lines = polars.read_csv(path)
    lines.join(money, on="source", how="left").group_by("payout_id").agg(polars.sum("net"))
    return {
        "merge_way": "polars, in memory, nothing kept",
        "merge_seconds": round(time.perf_counter() - began, 2),
    }
