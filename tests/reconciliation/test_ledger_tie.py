"""Hub ledger = ERP ledger: per account and month, a difference opens to its documents."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment
from tests.stories.till_files import goods, poslog, post_void, receipt, tender
from tillbridge.app.ledger_ties import tie_month
from tillbridge.contract.ledgers import RECEIVABLE, LedgerLine
from tillbridge.reconciliation.ledger.accounts import folded
from tillbridge.reconciliation.ledger.tie import Loose, TieOut, by_operation


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def sale(number: int) -> str:
    return receipt(number, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")


def tied(shop: House, period: str = "2026-03") -> TieOut:
    found = tie_month(shop.hub, shop.connection, "us", period)
    shop.connection.rollback()
    return found


def change(shop: House, query: str) -> None:
    """What somebody does in the ERP's own books."""
    path = shop.hub.workspace.folder / "erp.sqlite"
    with sqlite3.connect(path) as books:
        books.execute(query)
        books.commit()


def test_till_days_and_everything_else_sent_as_journals_agree(shop: House) -> None:
    shop.file("stores", poslog(sale(1), sale(2), post_void(3, 2)))
    shop.drain()
    found = tied(shop)
    assert found.agrees, found
    assert {one.account: one.hub for one in found.accounts}["sales"] == -2000
    assert tied(shop, "2026-02").accounts == ()


def test_what_waits_and_what_is_missing_there_is_opened(shop: House) -> None:
    shop.file("stores", poslog(sale(1)))
    (waiting,) = tied(shop).loose
    assert (waiting.where, waiting.amount, waiting.why) == (
        "hub", 2160, "entries that no journal has taken yet"
    )  # fmt: skip
    shop.drain()
    assert tied(shop).agrees
    change(shop, "delete from move")
    found = tied(shop)
    (gone,) = found.loose
    assert (gone.where, gone.amount, gone.why) == ("hub", 2160, "not in the ERP")
    assert sum(abs(one.difference) for one in found.accounts) == 2 * 2160


def test_what_was_altered_added_or_doubled_there_is_opened(shop: House) -> None:
    shop.file("stores", poslog(sale(1)))
    shop.drain()
    change(shop, "update move set lines = replace(lines, '2000', '1999')")
    (altered,) = tied(shop).loose
    assert altered.where == "both"
    assert altered.operation == "journal/us/stores/store-nyc/2026-03-02/1"
    change(shop, "update move set lines = replace(lines, '1999', '2000')")
    assert tied(shop).agrees
    change(shop, "update document set external_id = 'by hand'")
    loose = {(one.where, one.operation) for one in tied(shop).loose}
    assert loose == {("hub", altered.operation), ("erp", "by hand")}


def test_invoices_the_erp_books_itself_are_tied_by_document(shop: House) -> None:
    for number in (1, 2):
        shop.web("orders/create", paid_order(number, [line(1)], "10.00"))
        shop.web("fulfillments/create", shipment(number, number, {1: 1}))
    shop.drain()
    found = tied(shop)
    assert found.agrees, found
    alone = {one.account: one.alone for one in found.accounts if one.alone}
    assert alone == {"clearing": 2000, "customer-deposits": -2000}
    change(shop, "delete from move where number = (select min(number) from move)")
    (gone,) = tied(shop).loose
    assert (gone.where, gone.key, gone.amount) == ("hub", "order/web/1", 1000)


def test_a_line_of_the_erp_leads_back_to_its_sales(shop: House) -> None:
    shop.file("stores", poslog(sale(1), sale(2)))
    shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
    shop.web("fulfillments/create", shipment(1, 1, {1: 1}))
    shop.web("refunds/create", refund(3, 1, [], "5.00"))
    shop.drain()
    page = shop.verb("ledger", "behind", "JRN-000001")
    assert "sale/stores/12/4/2026-03-02/1" in page
    assert "sale/stores/12/4/2026-03-02/2" in page
    assert "order/web/1" in shop.verb("ledger", "behind", "INV-000001")
    assert "nothing is known of" in shop.verb("ledger", "behind", "INV-9", code=1)


def test_the_verb_fails_until_both_agree(shop: House) -> None:
    # its ERP is the workspace's own, which has got nothing of what follows
    assert "every account agrees" in shop.verb("ledger", "tie", "us", "2026-03")
    shop.file("stores", poslog(sale(1)))
    page = shop.verb("ledger", "tie", "us", "2026-03", code=1)
    assert "entries that no journal has taken yet" in page
    assert "21.60" in page


def test_accounts_the_erp_does_not_keep_count_for_the_one_it_has() -> None:
    ours = {"clearing/stripe": 5, "clearing/cash": 3, "sales/shoes": -9, "discounts/ten": 1}
    theirs = {"clearing": 8, "sales": -8}
    assert folded(ours, theirs) == ({"clearing": 8, "sales": -8}, {"clearing": 8, "sales": -8})
    assert Loose("hub", "", "k", 1, "w").amount == 1


def there(account: str, amount: int, move: str, *, clears: bool = False) -> LedgerLine:
    return LedgerLine(
        currency="USD", move=move, day=date(2026, 3, 2), account=account, theirs=account,
        amount=amount, operation="invoice/1", clears=clears,
    )  # fmt: skip


def test_a_payment_of_a_document_is_no_second_one_and_a_second_payment_is() -> None:
    booked = [there(RECEIVABLE, 100, "1"), there("sales", -100, "1")]
    paid = [there(RECEIVABLE, -100, "2", clears=True), there("deposits", 100, "2", clears=True)]
    one = by_operation([*booked, *paid], "USD", paid_there=True)["invoice/1"]
    assert (one.accounts, one.twice) == ({RECEIVABLE: 0, "sales": -100, "deposits": 100}, set())
    again = [there(RECEIVABLE, -100, "3", clears=True)]
    assert by_operation([*booked, *paid, *again], "USD")["invoice/1"].twice == {"2", "3"}
    unpaid = by_operation(booked, "USD")["invoice/1"]
    assert unpaid.accounts == {"customer-deposits": 100, "sales": -100}
