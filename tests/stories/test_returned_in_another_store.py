"""Bought online, sent partly from the warehouse and partly from a store, one piece brought back to
another store: the till pays, the order counts it, nobody refunds or restocks it again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.returning import NAMES as MORE
from tests.stories.returning import Desk, brought_back, furnished
from tests.stories.shop import NAMES, House, house, line, paid_order, refund, shipment, tax
from tests.stories.till_files import poslog

LINES = (
    line(1, quantity=2, price="30.00", tax_lines=[tax("4.80", 0.08)]),
    line(2, sku="SKU-2", quantity=1, price="20.00", tax_lines=[tax("1.60", 0.08)]),
)
ORDER = paid_order(4711, LINES, "86.40")
KEY = "order/web/4711"
NEW_ENGLAND = """
[[entity]]
code = "ne"
name = "Tillbridge New England Inc."
currency = "USD"
erp = "erp"
gl = { web = "documents", stores = "journals" }

[[location]]
code = "store-bos"
entity = "ne"
"""


def _sold(shop: House) -> None:
    """Both pieces of line 1 left the warehouse, line 2 a store in New York."""
    shop.names((*NAMES, *MORE))
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
    shop.web("fulfillments/create", shipment(2, 4711, {2: 1}, location_id=5502))
    assert shop.stock("P1") == (18, 0)
    assert shop.stock("P2", "store-nyc") == (4, 0)


def test_a_store_of_the_seller_pays_and_the_shop_cannot_pay_again(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        _sold(shop)
        desk = Desk(shop, "store-bos")
        asked = desk.ask(order="4711", lines=[{"line": "1", "quantity": 1}], commit=True)
        assert (asked.body["state"], asked.body["amount"], asked.body["key"]) == (
            "authorized", "32.40", KEY,
        )  # fmt: skip
        shop.flow()
        shop.file("stores", poslog(brought_back(7, "14", "A1", "30.00", "2.40", "32.40", KEY)))
        assert shop.cases() == []
        assert shop.stock("P1", "store-bos") == (1, 0)
        assert shop.stock("P1") == (18, 0)
        books = {
            "clearing/shop-pay": 8640,
            "till/store-bos/cash": -3240,
            "sales/unassigned": -8000 + 3000,
            "sales-tax/us-ny": -640 + 240,
        }
        assert shop.balances() == books
        left = desk.ask(order="4711").body
        assert [(one["returned"], one["returnable"]) for one in left["lines"]] == [
            ("1", "1"), ("0", "1"),
        ]  # fmt: skip
        assert [(one["tender"], one["refundable"]) for one in left["tenders"]] == [
            ("shop-pay", "54.00")
        ]
        desk.close()
        # the shop gives all three back as well: what the store paid is a case, and is not booked
        whole = [
            {"id": n, "line_item_id": n, "quantity": q, "subtotal": net, "total_tax": t,
             "restock_type": "return", "location_id": 5501, "line_item": LINES[n - 1]}
            for n, q, net, t in ((1, 2, "60.00", "4.80"), (2, 1, "20.00", "1.60"))
        ]  # fmt: skip
        shop.web("refunds/create", refund(3, 4711, whole, "86.40"))
        assert shop.cases() == ["refund_beyond_payment"]
        assert shop.stock("P1") == (19, 0)
        assert shop.balances()["clearing/shop-pay"] == 3240
        assert shop.statuses() == {"#4711": "refunded"}
        assert not shop.drain().moving
        assert shop.lies() == []


def test_a_store_of_another_entity_is_owed_what_it_paid(tmp_path: Path, database_url: str) -> None:
    def new_england(text: str) -> str:
        boston = '[[location]]\ncode = "store-bos"\nentity = "us"\n'
        assert boston in text
        return text.replace(boston, NEW_ENGLAND)

    furnish = furnished(change=new_england)
    with house(tmp_path / "house", database_url, furnish=furnish) as shop:
        _sold(shop)
        shop.file("stores", poslog(brought_back(7, "14", "A1", "30.00", "2.40", "32.40")))
        assert shop.cases() == []
        assert shop.stock("P1", "store-bos") == (1, 0)
        assert shop.balances("us") == {
            "clearing/shop-pay": 8640,
            "due-to/ne": -3240,
            "sales/unassigned": -8000 + 3000,
            "sales-tax/us-ny": -640 + 240,
        }
        assert shop.balances("ne") == {"till/store-bos/cash": -3240, "due-from/us": 3240}
        assert not shop.drain().moving
        kinds = [op.split("/")[3] for op in shop.documents() if op.startswith(KEY)]
        assert sorted(kinds) == ["credit_note", "invoice", "invoice", "sales_order"]
        totals = dict(shop.rows("select op, total from document where op like %s", f"{KEY}%"))
        assert totals[f"{KEY}/credit_note/1"] == 3240
        assert shop.lies() == []


@pytest.mark.parametrize("first", ["till", "shop"])
def test_it_makes_no_difference_who_speaks_first(
    tmp_path: Path, database_url: str, first: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        back = poslog(brought_back(7, "14", "A1", "30.00", "2.40", "32.40"))
        if first == "till":
            shop.names((*NAMES, *MORE))
            shop.file("stores", back)
        _sold(shop)
        if first == "shop":
            shop.file("stores", back)
        shop.file("stores", back)
        assert shop.cases() == []
        assert shop.balances()["sales/unassigned"] == -8000 + 3000
        (returned,) = shop.rows(
            "select convert_from(body, 'UTF8')::json ->> 'returned' from order_state"
        )
        assert returned == ('{"1":1000}',)
        assert shop.stock("P1", "store-bos") == (1, 0)
        assert not shop.drain().moving
        assert shop.lies() == []
