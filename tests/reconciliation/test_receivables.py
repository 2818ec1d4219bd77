"""Whose invoice a line of the bank is, what it fills, and what is told of what is left."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from psycopg import Connection

from tests.reconciliation.provider import Provider
from tillbridge.reconciliation.receivables.bank import Named, match_payments, paid_by_line
from tillbridge.reconciliation.receivables.look import settle
from tillbridge.reconciliation.receivables.standing import receivable_tie_outs, tell_overdue

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)


def named(invoice: str, open_: int, left: int = 100) -> Named:
    """An invoice that a line of 1.00 names."""
    order = invoice.partition(".")[0]
    return Named(1, "S-1", "", 1, date(2026, 4, 1), "USD", left, invoice, order, open_)


def test_a_line_fills_what_it_names_in_order_and_the_rest_is_the_last_ones() -> None:
    rows = [named("a.1", 60), named("b.1", 30), named("a.2", 50)]
    assert [(row.invoice, much) for row, much in paid_by_line(rows)] == [("a.1", 70), ("b.1", 30)]
    short = [named("a.1", 60, 50), named("b.1", 30, 50)]
    assert [(row.invoice, much) for row, much in paid_by_line(short)] == [("a.1", 50)]
    assert [much for _, much in paid_by_line([named("a.1", 0)])] == [100], "paid before: a deposit"


@pytest.fixture
def bank(connection: Connection[Any]) -> Provider:
    """An account with one invoice of 50.00 open."""
    found = Provider(connection)
    connection.execute(
        "insert into receivable (key, order_key, n, kind, number, erp_number, order_number, entity,"
        " channel, party, currency, issued_on, due_on, total, credited, paid)"
        " values ('order/web/7/invoice/1', 'order/web/7', 1, 'invoice', '7001-1', 'INV/77',"
        " '#7001', 'us', 'web', '', 'USD', '2026-03-01', '2026-03-31', 5000, 0, 0)"
    )
    return found


def lines(bank: Provider, *rows: tuple[int, str]) -> None:
    """Lines of the bank: amount and text."""
    (statement,) = bank.connection.execute(
        "insert into bank_statement (account, statement, number, currency, file, lines, net, at)"
        " values ('psp', 'S-1', '', 'USD', 1, 1, 0, now()) returning id"
    ).fetchone() or (0,)
    for n, (amount, text) in enumerate(rows):
        bank.connection.execute(
            "insert into bank_line (account, statement, line, n, amount, currency, booked_on,"
            " reference, text, told, reversal)"
            " values ('psp', %s, '', %s, %s, 'USD', '2026-04-01', '', %s, '', false)",
            (statement, n, amount, text),
        )


@pytest.mark.parametrize(
    ("amount", "text", "paid"),
    [
        (4000, "Rechnung inv/77 danke", 4000),
        (4000, "INVOICE 7001-1", 4000),
        (4000, "ORDER #7001", 4000),
        (5000, "PAYMENT 7001", 5000),
        (4000, "PAYMENT 7001", None),
        (4000, "INVOICE 7001-10 OR INV/778", None),
        (-4000, "7001-1 TAKEN BACK", None),
    ],
)
def test_a_line_that_names_the_invoice_pays_it(
    bank: Provider, amount: int, text: str, paid: int | None
) -> None:
    lines(bank, (amount, text))
    assert match_payments(bank.connection, bank.account, NOW) == (paid is not None)
    rows = bank.connection.execute("select order_key, amount from bank_payment").fetchall()
    assert rows == ([("order/web/7", paid)] if paid else [])
    assert match_payments(bank.connection, bank.account, NOW) == 0, "told once"


def test_what_is_past_due_is_a_case_until_it_is_paid(bank: Provider) -> None:
    assert tell_overdue(bank.connection, datetime(2026, 3, 31, tzinfo=UTC)) == 0
    assert tell_overdue(bank.connection, NOW) == 1
    assert settle(bank.connection, [bank.account], NOW).cases == 0, "told already"
    bank.connection.execute("update receivable set paid = total")
    tell_overdue(bank.connection, NOW)
    states = bank.connection.execute("select state from exception_case").fetchall()
    assert states == [("resolved",)]


def test_what_the_books_lack_is_a_part_of_the_difference(bank: Provider) -> None:
    (found,) = receivable_tie_outs(bank.connection, ())
    assert (found.books, found.theirs, found.unexplained) == (0, 5000, 0)
    assert [(part.what, part.amount) for part in found.parts] == [("order/web/7/invoice/1", -5000)]
    assert [part.what for part in found.open] == ["INV/77 of order #7001, due 2026-03-31"]
    assert receivable_tie_outs(bank.connection, ("ca",)) == []
