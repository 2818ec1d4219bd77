"""What a real Tryton has posted, as the tie-out reads it: whatever the hub sent, and by hand."""

from __future__ import annotations

from datetime import date

import pytest

from tests.connectors.tryton.live import DAY, Live, charge, document_line, journal, order_line, sale
from tillbridge.contract.ledgers import LedgerLine, Span

# The first run on a machine installs Tryton and fills its database.
pytestmark = pytest.mark.timeout(900)


def told(live: Live, first: date = DAY, last: date = DAY) -> list[LedgerLine]:
    """Every page."""
    found: list[LedgerLine] = []
    cursor, more = "", True
    while more:
        page = live.connector.ledger(
            Span("us", first, last), cursor, live.connection, live.secrets, live.transport
        )
        found += page.lines
        cursor, more = page.cursor, page.more
    return found


def test_invoices_and_journals_are_told_with_their_operations(live: Live) -> None:
    order = sale(order_line("1", 1000))
    invoice = charge("invoice", order.id, document_line("1", 1000, tax=77))
    entry = journal(("clearing/card", 1080), ("sales", -1000), ("sales-tax/us-ny", -80))
    for receipt in live.deliver(order, invoice, entry):
        assert receipt.outcome == "accepted", receipt.words
    lines = told(live, date(DAY.year, 1, 1), date(DAY.year, 12, 31))
    ours = {
        operation: {one.account: one.amount for one in lines if one.operation == operation}
        for operation in (invoice.id, entry.id)
    }
    assert ours[invoice.id]["receivable"] == 1077
    assert ours[invoice.id]["sales"] == -1000
    assert sorted(ours[entry.id].values()) == [-1000, -80, 1080]
    assert {one.currency for one in lines} == {"USD"}
    by_move: dict[str, int] = {}
    for one in lines:
        by_move[one.move] = by_move.get(one.move, 0) + one.amount
    assert set(by_move.values()) == {0}


def test_other_days_are_not_told(live: Live) -> None:
    assert told(live, date(DAY.year - 1, 1, 1), date(DAY.year - 1, 1, 2)) == []
