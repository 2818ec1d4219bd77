"""A marketplace order comes with a tax nobody gave a name: one case of finance names line and code
and the one line that mends it; other orders go on, and the order goes through by itself.
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


STRANGE = {**tax("4.00", 0.08, "Bazaar Facilitator Tax"), "channel_liable": True}
LINES = (
    line(1, quantity=1, price="10.00", tax_lines=[tax("0.80", 0.08)]),
    line(2, quantity=2, price="25.00", title="Teapot", tax_lines=[STRANGE]),
)
ORDER = paid_order(8001, LINES, "64.80")
OTHER = paid_order(8002, [line(1, quantity=1, price="10.00")], "10.00")


def test_a_marketplace_order_with_an_unmapped_tax_code_waits_for_one_line(shop: House) -> None:
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 8001, {1: 1, 2: 2}))
    shop.web("orders/create", OTHER)
    ((reason, words, owner, remedy),) = shop.rows(
        "select reason, words, owner, remedy from exception_case where state = 'open'"
    )
    assert (reason, owner) == ("mapping_missing", "finance")
    assert "line 2 (Teapot)" in words
    assert "tax 'Bazaar Facilitator Tax' (8.00 %) has no name of ours" in words
    assert remedy == "tillbridge xref set web tax 'Bazaar Facilitator Tax' OUR-NAME"
    assert shop.stock("P2") == (10, 0)
    assert list(shop.documents()) == ["order/web/8002/sales_order"]  # nobody else waits

    shop.verb("xref", "set", "web", "tax", "Bazaar Facilitator Tax", "us-ny-bazaar")
    shop.flow()
    assert shop.cases() == []
    assert shop.stock("P2") == (8, 0)
    assert not shop.drain().moving
    # the marketplace remits its tax: it is neither revenue nor owed by us
    assert shop.balances() == {
        "clearing/shop-pay": 6480 + 1000,
        "customer-deposits": -1000 - 400,
        "sales/unassigned": -6000,
        "sales-tax/us-ny": -80,
    }
    assert shop.erp.store.counts() == {"sales_order": 2, "invoice": 1}
    assert shop.erp_balances() == {"receivable": 6080, "revenue/goods": -6000, "tax/us-ny": -80}
    assert shop.statuses() == {"#8001": "shipped", "#8002": "paid"}
    assert shop.lies() == []


def test_its_return_gives_the_same_tax_back(shop: House) -> None:
    shop.names([("web", "tax", "Bazaar Facilitator Tax", "us-ny-bazaar")])
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 8001, {1: 1, 2: 2}))
    back = {"id": 5, "line_item_id": 2, "quantity": 2, "subtotal": "50.00", "total_tax": "4.00"}
    back |= {"restock_type": "return", "location_id": 5501, "line_item": LINES[1]}
    shop.web("refunds/create", refund(3, 8001, [back], "54.00"))
    assert shop.cases() == []
    assert not shop.drain().moving
    assert shop.balances() == {
        "clearing/shop-pay": 1080,
        "sales/unassigned": -1000,
        "sales-tax/us-ny": -80,
    }
    assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 1, "credit_note": 1}
    assert shop.lies() == []
