"""A return is over before the invoice of its sale reaches the ERP, or anything of it at all."""

from __future__ import annotations

from pathlib import Path

from tests.stories.returning import NAMES as MORE
from tests.stories.returning import furnished, told
from tests.stories.shop import NAMES, House, house, line, paid_order, refund, shipment, tax

LINES = (line(1, quantity=2, price="30.00", tax_lines=[tax("4.80", 0.08)]),)
ORDER = paid_order(4711, LINES, "64.80")
KEY = "order/web/4711"
BACK = [
    {"id": 5, "line_item_id": 1, "quantity": 1, "subtotal": "30.00", "total_tax": "2.40",
     "restock_type": "no_restock", "location_id": None, "line_item": LINES[0]}
]  # fmt: skip
BOOKS = {
    "clearing/shop-pay": 6480 - 3240,
    "sales/unassigned": -3000,
    "sales-tax/us-ny": -240,
}


def _returned(shop: House) -> None:
    told(shop, "R-1", "received", "2026-03-04T10:00:00-05:00", [(1, 1, "")])
    told(shop, "R-1", "inspected", "2026-03-04T11:00:00-05:00", [(1, 1, "restock")])
    shop.web("refunds/create", refund(3, 4711, BACK, "32.40"))


def _over(shop: House) -> None:
    assert shop.cases() == []
    assert shop.balances() == BOOKS
    assert shop.stock("P1") == (19, 0)
    assert shop.statuses() == {"#4711": "shipped"}
    assert not shop.drain().moving
    assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 1, "credit_note": 1}
    assert shop.erp.store.duplicates() == {}
    totals = dict(shop.rows("select op, total from document"))
    assert (totals[f"{KEY}/invoice/1"], totals[f"{KEY}/credit_note/1"]) == (6480, 3240)
    assert shop.lies() == []


def test_the_erp_is_away_until_the_goods_are_back(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        shop.names((*NAMES, *MORE))
        shop.erp.stop()
        shop.web("orders/create", ORDER)
        shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
        _returned(shop)
        assert shop.balances() == BOOKS
        assert shop.drain(0.5).documents == 3
        shop.hub = shop.hub.reaching({"erp": {"url": shop.erp.start()}})
        _over(shop)


def test_the_return_is_told_before_its_order(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        shop.names((*NAMES, *MORE))
        _returned(shop)
        assert (shop.balances(), shop.documents()) == ({}, {})
        assert shop.stock("P1") == (20, 0)
        shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
        shop.web("orders/create", ORDER)
        _over(shop)
