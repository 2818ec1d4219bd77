"""The newest comparison of each place, for people."""

from __future__ import annotations

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.stock.comparison import Compared
from tillbridge.reconciliation.stock.explain import Difference, Unseen

QUERIES = load("tillbridge.reconciliation.stock", "comparison.sql")


def last(connection: Connection, source: str = "") -> list[Compared]:
    """The newest comparison of each place of a connection, "" for all of them."""
    rows = connection.execute(QUERIES.last, {"connection": source}).fetchall()
    found: dict[int, list[Difference]] = {row[0]: [] for row in rows}
    told = connection.execute(QUERIES.differences, (list(found),)).fetchall()
    for number, product, ours, theirs, rest, named in told:
        movements = msgspec.json.decode(named, type=tuple[Unseen, ...])
        found[number].append(Difference(product, ours, theirs, rest, movements))
    return [
        Compared(
            connection=row[1],
            location=row[2],
            basis=row[3],
            as_of=row[4],
            at=row[5],
            products=row[6],
            differences=tuple(found[row[0]]),
        )
        for row in rows
    ]
