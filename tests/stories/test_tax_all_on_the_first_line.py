"""Prices include tax and the platform tells it all at once, or all on the first line.

Shared by value, so that no line is worth less and another more than it was sold for; and the total
stays the platform's, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment, tax


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


GOODS = (line(1, price="59.50"), line(2, price="29.75"), line(3, price="29.75", sku="SKU-1"))


def test_tax_told_for_the_whole_order_is_shared_by_value(shop: House) -> None:
    header = {"taxes_included": True, "total_tax": "19.00", "tax_lines": [tax("19.00", 0.19)]}
    shop.web("orders/create", paid_order(4711, GOODS, "119.00", **header))
    shop.web("fulfillments/create", shipment(1, 4711, {1: 1}))
    assert shop.cases() == []
    # the first line alone: 50.00 and 9.50, not 40.50 and 19.00
    assert shop.balances() == {
        "clearing/shop-pay": 11900,
        "customer-deposits": -5950,
        "sales/unassigned": -5000,
        "sales-tax/us-ny": -950,
    }
    shop.web("fulfillments/create", shipment(2, 4711, {2: 1, 3: 1}))
    assert shop.balances() == {
        "clearing/shop-pay": 11900,
        "sales/unassigned": -10000,
        "sales-tax/us-ny": -1900,
    }
    back = {"id": 5, "line_item_id": 2, "quantity": 1, "subtotal": "29.75", "total_tax": "4.75"}
    back |= {"restock_type": "return", "location_id": 5501}
    told = refund(3, 4711, [back], "29.75")
    header |= {"refunds": [told], "updated_at": "2026-03-05T09:00:00Z"}
    shop.web("orders/updated", paid_order(4711, GOODS, "119.00", **header))
    assert shop.cases() == []
    assert shop.balances() == {
        "clearing/shop-pay": 11900 - 2975,
        "sales/unassigned": -7500,
        "sales-tax/us-ny": -1425,
    }
    assert (shop.stock("P1"), shop.stock("P2")) == ((18, 0), (10, 0))
    assert shop.statuses() == {"#4711": "shipped"}
    assert not shop.drain().moving
    totals = dict(shop.rows("select op, total from document where kind <> 'sales_order'"))
    key = "order/web/4711"
    assert totals == {
        f"{key}/invoice/1": 5950,
        f"{key}/invoice/2": 5950,
        f"{key}/credit_note/1": 2975,
    }
    assert sum(shop.erp_balances().values()) == 0
    assert shop.lies() == []


def test_tax_told_on_the_first_line_alone_is_shared_by_value(shop: House) -> None:
    first = line(1, price="59.50", tax_lines=[tax("19.00", 0.19)])
    told = paid_order(4712, (first, *GOODS[1:]), "119.00", taxes_included=True, total_tax="19.00")
    shop.web("orders/create", told)
    shop.web("fulfillments/create", shipment(1, 4712, {1: 1}))
    assert shop.cases() == []
    # not 40.50 and 19.00 of tax, which would leave 29.75 without tax for each of the others
    assert shop.balances() == {
        "clearing/shop-pay": 11900,
        "customer-deposits": -5950,
        "sales/unassigned": -5000,
        "sales-tax/us-ny": -950,
    }
    shop.web("fulfillments/create", shipment(2, 4712, {2: 1, 3: 1}))
    assert shop.balances() == {
        "clearing/shop-pay": 11900,
        "sales/unassigned": -10000,
        "sales-tax/us-ny": -1900,
    }
    assert shop.lies(quiesced=False) == []


def test_a_line_that_is_taxed_alone_keeps_its_tax(shop: House) -> None:
    """Only the first line is taxed, at its own rate: that is the platform's word."""
    first = line(1, price="59.50", tax_lines=[tax("9.50", 0.19)])
    told = paid_order(4713, (first, *GOODS[1:]), "119.00", taxes_included=True, total_tax="9.50")
    shop.web("orders/create", told)
    shop.web("fulfillments/create", shipment(1, 4713, {2: 1, 3: 1}))
    assert shop.balances() == {
        "clearing/shop-pay": 11900,
        "customer-deposits": -5950,
        "sales/unassigned": -5950,
    }
    assert shop.lies(quiesced=False) == []
