"""Three sales from the first message to the ERP's papers: split over warehouse and store with a
return in another store; edited and partly cancelled; exchanged with a gift card.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.shop import House
from tests.stories.shown import SHOWN, shown_house

BOOKS = {
    "order/web/4801": {
        "clearing/shop-pay": 10800 - 2160,
        "sales/unassigned": -10000 + 2000,
        "sales-tax/us-ny": -800 + 160,
    },
    "order/app/E-4802": {"clearing/card": 6100, "sales/unassigned": -6100},
    "order/web/4803": {
        "card-promotions": 10000,
        "clearing/shop-pay": 26500,
        "gift-card-liability": -4100,
        "sales/unassigned": -30000,
        "sales-tax/us-ny": -2400,
    },
}
PAPERS = {
    "order/web/4801": {
        "sales_order": 10800, "delivery/1": None, "invoice/1": 6480, "delivery/2": None,
        "invoice/2": 4320, "customer_return/1": None, "credit_note/1": 2160,
    },
    "order/app/E-4802": {
        "sales_order": 6000, "delivery/1": None, "invoice/1": 2000, "sales_order_change/1": 7900,
        "credit_note/1": 200, "sales_order_change/2": 6100, "delivery/2": None, "invoice/2": 4300,
    },
    "order/web/4803": {
        "sales_order": 36500, "delivery/1": None, "invoice/1": 36500, "sales_order_change/1": 68900,
        "customer_return/1": None, "credit_note/1": 36500, "delivery/2": None, "invoice/2": 32400,
    },
}  # fmt: skip
STOCK = {
    "order/web/4801": {("P1", "wh-east"): 18, ("P2", "store-nyc"): 3, ("P2", "store-bos"): 1},
    "order/app/E-4802": {("P1", "wh-east"): 18, ("P2", "wh-east"): 9},
    "order/web/4803": {("P1", "wh-east"): 19, ("P1", "store-nyc"): 6, ("P2", "wh-east"): 9},
}
STATUS = {
    "order/web/4801": "shipped",
    "order/app/E-4802": "shipped",
    "order/web/4803": "shipped",
}


def played(shop: House, key: str) -> None:
    """It happened, and books, stock, papers and status are as they should be."""
    SHOWN[key][1](shop)
    assert shop.cases() == []
    assert not shop.drain(60.0).moving
    assert shop.cases() == []
    assert shop.balances() == BOOKS[key]
    for where, pieces in STOCK[key].items():
        assert shop.stock(*where) == (pieces, 0), where
    papers = {
        op.removeprefix(f"{key}/"): (state, total)
        for op, state, total in shop.rows("select op, state, total from document")
        if op.startswith(key)
    }
    assert papers == {op: ("accepted", total) for op, total in PAPERS[key].items()}
    assert shop.rows("select status from order_state where key = %s", key) == [(STATUS[key],)]
    assert shop.lies() == []


@pytest.mark.parametrize("key", list(SHOWN))
def test_books_stock_and_papers(tmp_path: Path, database_url: str, key: str) -> None:
    with shown_house(tmp_path / "house", database_url) as shop:
        played(shop, key)
        assert shop.erp.store.duplicates() == {}
        assert sum(shop.erp_balances().values()) == 0
