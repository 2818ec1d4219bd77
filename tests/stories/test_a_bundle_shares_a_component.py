"""A set and a single piece of what is in it, in one order: the shelf is asked for both together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, shipment

NAMES = [("web", "product", "SET-1", "SET")]
ITEMS = (
    "product,version,title,unit,components\n"
    "P1,1,Cup,EA,\n"
    "P2,1,Saucer,EA,\n"
    "SET,1,Cups and saucers,EA,P1=2;P2=1\n"
)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        found.names(NAMES)
        items = tmp_path / "items.csv"
        items.write_text(ITEMS, encoding="utf-8")
        found.verb("items", "import", str(items))
        found.flow()
        yield found


def ordered(shop: House, number: int, sets: int, cups: int) -> None:
    """Sets at 30.00 and cups at 10.00."""
    lines = [
        line(1, sku="SET-1", quantity=sets, price="30.00"),
        line(2, sku="SKU-1", quantity=cups),
    ]
    shop.web("orders/create", paid_order(number, lines, f"{sets * 30 + cups * 10}.00"))


def test_two_lines_that_fit_alone_and_not_together_are_not_promised(shop: House) -> None:
    ordered(shop, 4711, sets=8, cups=5)  # 16 + 5 cups of the 20
    assert (shop.stock("P1"), shop.stock("P2")) == ((20, 0), (10, 0))
    assert shop.cases() == ["stock_short"]
    assert shop.lies(quiesced=False) == []


def test_a_set_is_held_sent_and_earned_as_what_is_in_it(shop: House) -> None:
    ordered(shop, 4711, sets=8, cups=4)
    assert (shop.stock("P1"), shop.stock("P2")) == ((20, 20), (10, 8))
    shop.web("fulfillments/create", shipment(1, 4711, {1: 3}))
    assert (shop.stock("P1"), shop.stock("P2")) == ((14, 14), (7, 5))
    shop.web("fulfillments/create", shipment(2, 4711, {1: 5, 2: 4}))
    assert (shop.stock("P1"), shop.stock("P2")) == ((0, 0), (2, 0))
    assert shop.cases() == []
    assert shop.balances() == {"clearing/shop-pay": 28000, "sales/unassigned": -28000}
    assert shop.statuses() == {"#4711": "shipped"}
    assert not shop.drain().moving
    assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 2}
    assert shop.lies() == []
