"""Till transactions as the deciding room keeps them, for checks that read its table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from psycopg import Connection

MONDAY = date(2026, 3, 2)


def heard(
    connection: Connection,
    numbers: Iterable[int],
    at: datetime,
    *,
    day: date = MONDAY,
    till: str = "4",
    kind: str = "SaleRung",
    digits: int = 0,
) -> None:
    """Transactions of a till of store-nyc, heard at an instant."""
    rows = [
        (
            f"sale/stores/12/{till}/{day}/{number:0{digits}d}",
            kind,
            b"x",
            "stores",
            "store-nyc",
            till,
            day,
            f"{number:0{digits}d}",
            at,
        )
        for number in numbers
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into sale_state (key, type, fact_hash, source, location, till, business_date,"
            " sequence, heard_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            rows,
        )
    connection.commit()
