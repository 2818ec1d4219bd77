"""A discount on the grand total: the ERP gets final amounts and works nothing out anew.

Elsewhere the discount is taken off the net instead of the gross total and the payment is logged as
90 instead of 88; here every paper carries what the channel charged, to the cent, or is a case.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house, line, paid_order, shipment, tax


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def off(amount: str) -> list[dict[str, Any]]:
    return [{"amount": amount}]


# 100.00 of goods, 12 % off in three unlike parts, 10 % tax on what is left: 88.00 + 8.80
LINES = (
    line(1, price="33.33", discount_allocations=off("4.00"), tax_lines=[tax("2.93", 0.1)]),
    line(2, price="33.33", discount_allocations=off("4.00"), tax_lines=[tax("2.93", 0.1)]),
    line(
        3,
        price="33.34",
        sku="SKU-1",
        discount_allocations=off("4.00"),
        tax_lines=[tax("2.93", 0.1)],
    ),
)


def test_the_erp_gets_what_was_charged(shop: House) -> None:
    # three taxes of 2.93 are 8.79, the header says 8.80: the cent is a line, not a silent change
    shop.web("orders/create", paid_order(4711, LINES, "96.80", total_discounts="12.00"))
    assert shop.cases() == []
    assert shop.balances() == {"clearing/shop-pay": 9680, "customer-deposits": -9680}
    shop.web("fulfillments/create", shipment(1, 4711, {1: 1, 2: 1, 3: 1}))
    assert shop.balances() == {
        "clearing/shop-pay": 9680,
        "sales/unassigned": -10000,
        "discounts/unassigned": 1200,
        "sales-tax/us-ny": -879,
        "rounding": -1,
    }
    assert shop.statuses() == {"#4711": "shipped"}
    assert not shop.drain().moving
    totals = dict(shop.rows("select kind, total from document"))
    assert totals == {"sales_order": 9680, "invoice": 9680}
    erp = shop.erp_balances()
    assert sum(erp.values()) == 0
    assert max(erp.values()) == 9680  # what the buyer owes in the ERP's own books
    assert shop.lies() == []


def test_a_discount_told_in_the_header_alone_is_shared_without_losing_a_cent(shop: House) -> None:
    plain = [line(n, price=price, sku="SKU-1") for n, price in ((1, "33.33"), (2, "66.67"))]
    shop.web("orders/create", paid_order(4712, plain, "90.00", total_discounts="10.00"))
    shop.web("fulfillments/create", shipment(1, 4712, {1: 1}))
    shop.web("fulfillments/create", shipment(2, 4712, {2: 1}))
    assert shop.cases() == []
    assert shop.balances() == {
        "clearing/shop-pay": 9000,
        "sales/unassigned": -10000,
        "discounts/unassigned": 1000,
    }
    shop.drain()
    invoices = [t for (t,) in shop.rows("select total from document where kind = 'invoice'")]
    assert sum(invoices) == 9000
    assert shop.lies() == []


def test_a_total_that_the_lines_do_not_give_is_a_case_with_both_figures(shop: House) -> None:
    shop.web("orders/create", paid_order(4713, LINES, "98.80", total_discounts="12.00"))
    ((reason, words),) = shop.rows("select reason, words from exception_case")
    assert reason == "totals_differ"
    assert "= 96.79, header says 98.80: 2.01 USD missing from the lines" in words
    assert shop.documents() == {}
    assert shop.balances() == {}
