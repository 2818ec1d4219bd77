"""A supplier sends his own goods to our buyer: the sale is ours, and our stock does not move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.warehouses import ASK, KEY, Floors, floors


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[Floors]:
    with floors(tmp_path / "house", database_url) as found:
        yield found


def test_an_order_of_both_is_served_by_supplier_and_warehouse(house: Floors) -> None:
    house.ordered((1, 1), (2, 3))
    shop = house.shop
    assert house.asked(house.supplier) == [("1", "Processing", 21, {"SKU-2": 3})]
    assert house.asked(house.service) == [("2", "Processing", 21, {"SKU-1": 1})]
    assert (shop.stock("P1"), shop.stock("P2")) == ((20, 1), (10, 0))
    house.supplier.ship(f"{ASK}/1")
    house.settled()
    assert shop.stock("P2") == (10, 0)
    assert shop.rows("select status from order_state where key = %s", KEY) == [("part-shipped",)]
    assert shop.balances()["sales/unassigned"] == -3000
    house.service.ship(f"{ASK}/2")
    house.settled()
    assert (shop.stock("P1"), shop.stock("P2")) == ((19, 0), (10, 0))
    assert shop.balances() == {"clearing/shop-pay": 4000, "sales/unassigned": -4000}
    assert shop.rows("select distinct location from stock_movement where key = %s", KEY) == [
        ("wh-east",)
    ]
    assert [op for op, state in house.papers("invoice") if state == "accepted"] == [
        "invoice/1", "invoice/2",
    ]  # fmt: skip
    assert shop.cases() == []
    assert shop.lies() == []


def test_what_the_supplier_has_not_is_sent_from_our_shelf(house: Floors) -> None:
    house.ordered((2, 3))
    house.supplier.run_out(f"{ASK}/1")
    house.settled()
    assert house.asked(house.supplier) == [("1", "Cancelled", 21, {"SKU-2": 3})]
    assert house.asked(house.service) == [("2", "Processing", 21, {"SKU-2": 3})]
    assert house.shop.stock("P2") == (10, 3)
    house.service.ship(f"{ASK}/2")
    house.settled()
    assert house.shop.stock("P2") == (7, 0)
    assert house.shop.cases() == []
    assert house.shop.lies() == []
