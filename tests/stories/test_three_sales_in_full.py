"""Three sales from the first message to what a real Tryton holds: split over warehouse and store
with a return in another store; edited and partly cancelled; exchanged with a gift card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.tryton.live import Live, running_erp
from tests.stories.shop import House
from tests.stories.shown import SHOWN, Held, shown_house
from tillbridge.app.erp.beside import Erp

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
    assert not shop.drain(600.0).moving
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


@pytest.fixture(scope="module")
def erp() -> Iterator[Erp]:
    """One Tryton for the three of them."""
    with running_erp() as running:
        yield running


@pytest.mark.timeout(1500)  # the first run on a machine installs Tryton and fills its database
@pytest.mark.parametrize("key", list(SHOWN))
def test_what_a_real_tryton_holds(
    tmp_path: Path,
    database_url: str,
    erp: Erp,
    key: str,
    record_property: Callable[[str, object], None],
) -> None:
    with shown_house(tmp_path / "house", database_url, erp) as shop:
        played(shop, key)
        held = Held(Live(erp), key)
        _CHECKS[key](held)
        number = key.rpartition("/")[2]
        command = f"$ tillbridge story {number}"
        story = shop.verb("story", f"#{number}" if "web" in key else number)
        record_property("title", SHOWN[key][0])
        record_property("shown", f"{command}\n{story}\nwhat Tryton holds\n{held.page()}\n")


def goods_of(rows: list[dict[str, Any]]) -> list[tuple[str, str, list[tuple[str, int, str]]]]:
    """Warehouse, state and moves of shipments or returns."""
    return [
        (one["warehouse."]["code"], one["state"], [move[:3] for move in one["moves"]])
        for one in rows
    ]


def totals(held: Held) -> list[str]:
    """Of invoices and credit notes, all posted."""
    assert {one["state"] for one in held.invoices} <= {"posted", "paid"}
    return [f"{one['total_amount']:.2f}" for one in held.invoices]


def _split(held: Held) -> None:
    assert [one["shipment_state"] for one in held.sales] == ["sent"]
    assert goods_of(held.shipments) == [
        ("wh-1", "done", [("done", 2, "sku-1")]),
        ("store-1", "done", [("done", 2, "sku-2")]),
    ]
    assert goods_of(held.returns) == [("store-2", "done", [("done", 1, "sku-2")])]
    assert totals(held) == ["64.80", "43.20", "-21.60"]
    assert held.booked() == {"1.2.1": 8640, "sales": -8000, "sales-tax": -640}


def _edited(held: Held) -> None:
    assert goods_of(held.shipments) == [
        ("wh-1", "done", [("done", 1, "sku-1")]),
        ("wh-1", "done", [("done", 1, "sku-1"), ("done", 1, "sku-2")]),
    ]
    assert held.returns == []
    assert totals(held) == ["20.00", "-2.00", "43.00"]
    assert held.booked() == {"1.2.1": 6100, "sales": -6100}


def _exchanged(held: Held) -> None:
    assert goods_of(held.shipments) == [
        ("wh-1", "done", [("done", 1, "sku-1")]),
        ("wh-1", "done", [("done", 1, "sku-2")]),
    ]
    assert goods_of(held.returns) == [("store-1", "done", [("done", 1, "sku-1")])]
    assert totals(held) == ["365.00", "-365.00", "324.00"]
    assert held.booked() == {"1.2.1": 32400, "sales": -30000, "sales-tax": -2400}


_CHECKS = {
    "order/web/4801": _split,
    "order/app/E-4802": _edited,
    "order/web/4803": _exchanged,
}
