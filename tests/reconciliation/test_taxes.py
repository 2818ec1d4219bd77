"""Tax payable against what papers and receipts name, by jurisdiction and month."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.one_person import works_alone
from tests.stories.shop import House, house, line, paid_order, refund, shipment, tax
from tests.stories.till_files import goods, poslog, post_void, receipt, tender
from tillbridge.reconciliation.taxes import tax_tie_outs
from tillbridge.reconciliation.tie_outs import Part, TieOut

LINES = (line(1, quantity=2, price="30.00", tax_lines=[tax("4.80", 0.08)]),)
ORDER = paid_order(4711, LINES, "64.80")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def tied(shop: House, *entities: str) -> list[TieOut]:
    found = tax_tie_outs(shop.connection, entities)
    shop.connection.rollback()
    return found


def sale(number: int) -> str:
    return receipt(number, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")


def trade(shop: House) -> None:
    """An invoice of 4.80, a credit note of 2.40, two receipts of 1.60 of which one is voided."""
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
    back = {"id": 5, "line_item_id": 1, "quantity": 1, "subtotal": "30.00", "total_tax": "2.40"}
    back |= {"restock_type": "return", "location_id": 5501, "line_item": LINES[0]}
    shop.web("refunds/create", refund(3, 4711, [back], "32.40"))
    shop.file("stores", poslog(sale(1), sale(2), post_void(3, 2)))


def test_papers_and_receipts_name_what_is_owed(shop: House) -> None:
    trade(shop)
    (one,) = tied(shop)
    assert (one.name, one.entity, one.currency) == ("sales-tax/us-ny 2026-03", "us", "USD")
    assert (one.books, one.theirs) == (480 - 240 + 160, 480 - 240 + 160)
    assert (one.difference, one.parts) == (0, ())
    assert tied(shop, "ca") == []
    page = shop.verb("reconcile", "status")
    assert "sales-tax/us-ny 2026-03" in page
    works_alone(shop.connection)
    shop.connection.execute("update exception_case set state = 'resolved'")
    shop.connection.execute("insert into period values ('us', '2026-03', 'locked', now(), 'ann')")
    shop.connection.commit()
    assert tied(shop) == []


@pytest.mark.parametrize(
    ("fact", "key"),
    [("SaleRecognised", "order/web/4711"), ("SaleRung", "sale/stores/12/4/2026-03-02/1")],
)
def test_what_is_booked_otherwise_is_the_part_of_the_difference(
    shop: House, fact: str, key: str
) -> None:
    trade(shop)
    shop.connection.execute("set session_replication_role = replica")
    shop.connection.execute(
        "update entry_line set amount = amount - 7, txn_amount = txn_amount - 7"
        " where account = 'sales-tax/us-ny' and entry in"
        " (select id from entry where fact_type = %s and key = %s)",
        (fact, key),
    )
    shop.connection.commit()
    (one,) = tied(shop)
    assert (one.difference, one.parts, one.unexplained) == (7, (Part(key, 7),), 0)


def test_a_tax_of_an_invoice_nobody_booked_is_found(shop: House) -> None:
    trade(shop)
    shop.connection.execute("set session_replication_role = replica")
    shop.connection.execute(
        "delete from entry_line where entry in (select id from entry where fact_type = %s)",
        ("SaleRecognised",),
    )
    shop.connection.commit()
    (one,) = tied(shop)
    assert one.parts == (Part("order/web/4711", -480),)
