"""Tax payable per jurisdiction and month: what the books owe against what papers and receipts name.

A marketplace's own tax is in neither. A locked month is not looked at any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.tie_outs import Part, TieOut

QUERIES = load("tillbridge.reconciliation", "taxes.sql", "taxes")


def tax_tie_outs(connection: Connection, entities: Sequence[str]) -> list[TieOut]:
    """Per entity, jurisdiction, month and currency, minor units owed; () = of all entities. The
    parts are the orders and receipts that are booked otherwise than they say.
    """
    rows = connection.execute(QUERIES.taxes, {"entities": list(entities)}).fetchall()
    return [
        TieOut(
            name=f"{account} {month}",
            entity=entity,
            currency=currency,
            books=books,
            theirs=told,
            parts=tuple(Part(*part) for part in zip(keys, off, strict=True)),
        )
        for entity, account, month, currency, books, told, keys, off in rows
    ]
