"""How receivables stand: those past due as cases of finance, and the books against the invoices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import settle
from tillbridge.reconciliation.settlement.report import PARTS_MOST
from tillbridge.reconciliation.tie_outs import Part, TieOut

QUERIES = load(
    "tillbridge.reconciliation.receivables",
    "standing.sql",
    "overdue",
    "tie",
    "tie_parts",
    "tie_open",
)


def tell_overdue(connection: Connection, now: datetime) -> int:
    """A case for each invoice that is past due, which closes when it is paid or credited; gives how
    many were opened. The caller commits.
    """
    found = {
        key: NeedsDecision(
            "invoice_overdue",
            f"invoice {number} of order {order}: {to_text(open_, currency)} {currency} were due on"
            f" {due_on}",
            owner="finance",
            amount=open_,
            currency=currency,
            remedy=f"tillbridge invoices show {number}",
            details={"entity": entity},
        )
        for key, number, order, entity, currency, due_on, open_ in connection.execute(
            QUERIES.overdue, (now.date(),)
        )
    }
    return settle(connection, "invoice_overdue", found, now).opened


def receivable_tie_outs(connection: Connection, entities: Sequence[str]) -> list[TieOut]:
    """The account of receivables against what is open of invoices; entities: () = all."""
    found = []
    rows = connection.execute(QUERIES.tie, {"entities": list(entities)}).fetchall()
    for entity, currency, books, open_ in rows:
        of = {"entity": entity, "currency": currency, "most": PARTS_MOST}
        parts = connection.execute(QUERIES.tie_parts, of) if books != open_ else ()
        found.append(
            TieOut(
                name="receivables",
                entity=entity,
                currency=currency,
                books=books,
                theirs=open_,
                parts=tuple(Part(what, amount) for what, amount in parts),
                open=tuple(Part(*row) for row in connection.execute(QUERIES.tie_open, of)),
            )
        )
    return found
