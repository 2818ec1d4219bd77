"""Invoices and credit notes paid from the hub's account of buyers' money, on a real Tryton."""

from __future__ import annotations

import msgspec
import pytest

from tests.connectors.tryton.live import Live, charge, document_line, journal, order_line, sale
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.connectors.tryton.clearing import clearing_of, paid_operation
from tillbridge.contract.ledgers import Span

pytestmark = pytest.mark.timeout(900)


def paid(kind: str, order: str, *lines: object, **more: object) -> SubmitDocument:
    return charge(kind, order, *lines, paid_from="customer-deposits", **more)  # type: ignore[arg-type]


def states(live: Live, *documents: SubmitDocument) -> list[str]:
    found = live.read(
        "account.invoice",
        [["reference", "in", [one.id for one in documents]]],
        "reference",
        "state",
    )
    by = {row["reference"]: row["state"] for row in found}
    return [by[one.id] for one in documents]


def clearings(live: Live, document: SubmitDocument) -> list[str]:
    description = clearing_of(document.id)
    return [
        str(row["id"]) for row in live.read("account.move", [["description", "=", description]])
    ]


def test_an_invoice_and_its_credit_note_end_paid(live: Live) -> None:
    deposit = journal(("clearing", 2077), ("customer-deposits", -2077))
    order = sale(order_line("1", 1000))
    invoice = paid("invoice", order.id, document_line("1", 1000, tax=77))
    other = paid("invoice", order.id, document_line("1", 1000))
    note = paid("credit_note", order.id, document_line("1", 500, tax=40))
    free = paid("invoice", order.id, document_line("1", 0))
    for receipt in live.deliver(deposit, order, invoice, other, note, free):
        assert receipt.outcome == "accepted", receipt.words
    assert states(live, invoice, other, note, free) == ["paid"] * 4
    (move,) = clearings(live, invoice)
    assert live.booked(move) == {"1.2.1": -1077, "customer-deposits": 1077}
    (back,) = clearings(live, note)
    assert live.booked(back) == {"1.2.1": 540, "customer-deposits": -540}
    assert clearings(live, free) == []


def test_sent_again_it_is_paid_once(live: Live) -> None:
    order = sale(order_line("1", 1000))
    invoice = paid("invoice", order.id, document_line("1", 1000))
    live.deliver(order, invoice)
    (again,) = live.deliver(invoice)
    assert again.outcome == "accepted"
    assert len(clearings(live, invoice)) == 1


def test_what_was_booked_before_and_left_open_is_paid_when_it_is_sent_again(live: Live) -> None:
    order = sale(order_line("1", 1000))
    invoice = charge("invoice", order.id, document_line("1", 1000))
    live.deliver(order, invoice)
    assert states(live, invoice) == ["posted"]
    assert invoice.invoice is not None
    body = msgspec.structs.replace(invoice.invoice, paid_from="customer-deposits")
    (again,) = live.deliver(msgspec.structs.replace(invoice, invoice=body))
    assert again.outcome == "accepted", again.words
    assert states(live, invoice) == ["paid"]


def test_without_the_account_nothing_is_booked(live: Live) -> None:
    order = sale(order_line("1", 1000))
    invoice = charge("invoice", order.id, document_line("1", 1000), paid_from="nowhere")
    _, receipt = live.deliver(order, invoice)
    assert receipt.outcome == "refused"
    assert "nowhere" in receipt.words
    assert live.read("account.invoice", [["reference", "=", invoice.id]]) == []


def test_the_ledger_tells_a_clearing_with_its_document(live: Live) -> None:
    order = sale(order_line("1", 1000))
    invoice = paid("invoice", order.id, document_line("1", 1000))
    live.deliver(order, invoice)
    day = invoice.invoice.invoice_date  # type: ignore[union-attr]
    cursor, more, told = "", True, []
    while more:
        page = live.connector.ledger(
            Span("us", day, day), cursor, live.connection, live.secrets, live.transport
        )
        told += [one for one in page.lines if one.operation == invoice.id]
        cursor, more = page.cursor, page.more
    sums: dict[str, int] = {}
    for one in told:
        sums[one.account] = sums.get(one.account, 0) + one.amount
    assert sums == {"receivable": 0, "sales": -1000, "customer-deposits": 1000}
    assert {one.move for one in told if one.clears} == set(clearings(live, invoice))


def test_a_clearing_is_known_by_its_description() -> None:
    assert paid_operation(clearing_of("order/web/1/invoice/1")) == "order/web/1/invoice/1"
    assert paid_operation("journal/us/web/web/2026-03-02/1") == ""
