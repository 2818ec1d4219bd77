"""Lines of the bank that pay orders on account: they name an invoice, or its order.

Which one a line pays is read off its text; how much is its own amount. A line that names several
invoices fills them from the one that was due first, whatever is left over goes to the last: less
than is open stays owed, more stays a deposit of that order. Nothing makes a sum fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.receivables import BankPaymentMatched
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.reconciliation.settlement.rules import Account

QUERIES = load("tillbridge.reconciliation.receivables", "bank.sql", "named", "note")
PAID_DAYS = 180
"""So long after an invoice was due is a line that names it its payment although nothing is open."""


class Named(msgspec.Struct, frozen=True):
    """A line of the bank and one of the invoices it names, minor units."""

    line: int
    statement: str
    told: str
    n: int
    booked_on: date
    currency: str
    left: int
    invoice: str
    order: str
    open: int


def match_payments(connection: Connection, account: Account, now: datetime) -> int:
    """Tell the log which orders lines of this account pay; gives how many. The caller commits."""
    since = now.date() - timedelta(days=PAID_DAYS)
    values = {"account": account.name, "entity": account.entity, "since": since}
    rows = [Named(*row) for row in connection.execute(QUERIES.named, values).fetchall()]
    noted: list[tuple[Any, ...]] = []
    records = []
    for _, of_line in groupby(rows, key=lambda row: row.line):
        named = list(of_line)
        for row, amount in paid_by_line(named):
            fact = _fact(account, row, amount, now)
            noted.append((row.line, row.order, row.invoice, amount, fact.id))
            records.append(Record(fact.key, "BankPaymentMatched", fact, lane_of(fact.key)))
    if noted:
        connection.execute(QUERIES.note, [list(column) for column in zip(*noted, strict=True)])
        log.append(connection, records)
    return len(noted)


def paid_by_line(named: Sequence[Named]) -> list[tuple[Named, int]]:
    """What a line pays, minor units: one share per order, under the first of its invoices. named:
    the invoices it names, the one that was due first first.
    """
    left = named[0].left
    shares: dict[str, int] = {}
    first: dict[str, Named] = {}
    for row in named:
        part = min(left, row.open)
        first.setdefault(row.order, row)
        shares[row.order] = shares.get(row.order, 0) + part
        left -= part
    shares[named[-1].order] += left
    return [(first[order], amount) for order, amount in shares.items() if amount > 0]


def _fact(account: Account, row: Named, amount: int, now: datetime) -> BankPaymentMatched:
    reference = f"{account.name}/{row.statement}/{row.told}/{row.n}"
    return BankPaymentMatched(
        key=row.order,
        id=f"{row.order}/bank/{reference}",
        source="hub",
        mapping="hub/1",
        occurred_at=now,
        business_date=row.booked_on,
        entities=Entities(selling=account.entity),
        order=row.order,
        currency=row.currency,
        amount=amount,
        bank=account.name,
        tender=account.tenders[0],
        reference=reference,
        invoice=row.invoice,
    )
