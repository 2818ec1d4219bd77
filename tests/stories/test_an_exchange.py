"""Something is exchanged: what comes back and what goes out are one signed difference."""

from __future__ import annotations

from pathlib import Path

from tests.stories.returning import NAMES as MORE
from tests.stories.returning import brought_back, furnished
from tests.stories.shop import NAMES, house, line, paid_order, shipment, tax
from tests.stories.till_files import goods, poslog, receipt, tender

FIRST = line(1, quantity=1, price="337.96", tax_lines=[tax("27.04", 0.08)])
OTHER = line(2, sku="SKU-2", quantity=1, price="337.96", tax_lines=[tax("27.04", 0.08)])
KEY = "order/web/4711"
BOOKS = {"clearing/shop-pay": 36500, "sales/unassigned": -33796, "sales-tax/us-ny": -2704}


def test_a_web_order_is_exchanged_for_something_that_costs_the_same(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        shop.names((*NAMES, *MORE))
        shop.web("orders/create", paid_order(4711, [FIRST], "365.00"))
        shop.web("fulfillments/create", shipment(1, 4711, {1: 1}))
        assert shop.balances() == BOOKS
        back = {
            "id": 5, "line_item_id": 1, "quantity": 1, "subtotal": "337.96", "total_tax": "27.04",
            "restock_type": "return", "location_id": 5501, "line_item": FIRST,
        }  # fmt: skip
        exchange = {
            "id": 9, "order_id": 4711, "created_at": "2026-03-04T09:00:00-05:00",
            "refund_line_items": [back], "transactions": [],
        }  # fmt: skip
        edited = paid_order(
            4711, [FIRST, OTHER], "730.00", updated_at="2026-03-04T09:00:00-05:00",
            refunds=[exchange], current_total_price="365.00", total_outstanding="0.00",
        )  # fmt: skip
        shop.web("orders/updated", edited)
        assert shop.cases() == []
        # the first is credited, the other is not earned before it leaves: 365 is owed to the buyer
        assert shop.balances() == {"clearing/shop-pay": 36500, "customer-deposits": -36500}
        shop.web("fulfillments/create", shipment(2, 4711, {2: 1}))
        assert shop.balances() == BOOKS
        assert (shop.stock("P1"), shop.stock("P2")) == ((20, 0), (9, 0))
        assert not shop.drain().moving
        totals = dict(
            shop.rows("select op, total from document where kind in ('invoice', 'credit_note')")
        )
        assert totals == {
            f"{KEY}/invoice/1": 36500,
            f"{KEY}/credit_note/1": 36500,
            f"{KEY}/invoice/2": 36500,
        }
        assert sum(shop.erp_balances().values()) == 0
        assert shop.statuses() == {"#4711": "shipped"}
        assert shop.cases() == []
        assert shop.lies() == []


def test_a_web_order_is_exchanged_at_a_till_for_something_dearer(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        shop.names((*NAMES, *MORE))
        shop.web("orders/create", paid_order(4711, [FIRST], "365.00"))
        shop.web("fulfillments/create", shipment(1, 4711, {1: 1}))
        link = "<TransactionLink><OrderID>4711</OrderID></TransactionLink></Return>"
        comes = goods("A1", "337.96", "27.04", element="Return").replace("</Return>", link)
        goes = goods("A2", "400.00", "32.00")
        log = poslog(
            receipt(5, [comes, goes, tender("67.00", "CreditDebit")], "67.00", "4.96"),
        )
        shop.file("stores", log)
        assert shop.cases() == []
        assert shop.balances() == {
            "clearing/shop-pay": 36500,
            "clearing/card": 6700,
            "sales/unassigned": -40000,
            "sales-tax/us-ny": -3200,
        }
        assert shop.stock("P1", "store-nyc") == (6, 0)
        assert shop.stock("P2", "store-nyc") == (4, 0)
        shop.file("stores", poslog(brought_back(6, "12", "A1", "337.96", "27.04", "365.00")))
        assert shop.cases() == ["return_beyond_shipment"]
        assert not shop.drain().moving
        assert shop.lies() == []
