"""Shipped in part, refunded in part: what can still be sold is right after every step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment

LINES = [line(1, quantity=6, price="10.00")]


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        found.web("orders/create", paid_order(4711, LINES, "60.00"))
        yield found


def back(number: int, pieces: int, restock: str) -> dict[str, Any]:
    place = 5501 if restock == "return" else None
    return {
        "id": number, "line_item_id": 1, "quantity": pieces, "subtotal": f"{pieces * 10}.00",
        "total_tax": "0.00", "restock_type": restock, "location_id": place, "line_item": LINES[0],
    }  # fmt: skip


def salable(shop: House) -> int:
    on_hand, reserved = shop.stock("P1")
    shown = shop.verb("stock", "show", "--product", "P1")
    assert str(on_hand) in shown
    return on_hand - reserved


def test_what_can_be_sold_is_right_after_every_step(shop: House) -> None:
    assert salable(shop) == 14
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
    assert (shop.stock("P1"), salable(shop)) == ((18, 4), 14)
    shop.web("refunds/create", refund(3, 4711, [back(5, 1, "cancel")], "10.00"))  # one never leaves
    assert (shop.stock("P1"), salable(shop)) == ((18, 3), 15)
    shop.web("refunds/create", refund(4, 4711, [back(6, 1, "return")], "10.00"))  # one came back
    assert (shop.stock("P1"), salable(shop)) == ((19, 3), 16)
    shop.web("refunds/create", refund(5, 4711, [back(7, 1, "no_restock")], "10.00"))  # one broke
    assert (shop.stock("P1"), salable(shop)) == ((19, 3), 16)
    shop.web("fulfillments/create", shipment(2, 4711, {1: 3}))
    assert (shop.stock("P1"), salable(shop)) == ((16, 0), 16)
    for number, restock in ((3, "cancel"), (4, "return"), (5, "no_restock")):  # all of it again
        told = refund(number, 4711, [back(number + 2, 1, restock)], "10.00")
        shop.web("refunds/create", told)
    assert salable(shop) == 16
    assert shop.cases() == []
    assert shop.balances() == {"clearing/shop-pay": 3000, "sales/unassigned": -3000}
    assert shop.statuses() == {"#4711": "shipped"}
    assert not shop.drain().moving
    counts = shop.erp.store.counts()  # one piece never left, two were given back
    assert (counts["invoice"], counts["credit_note"], counts["sales_order_change"]) == (2, 2, 1)
    assert sum(shop.erp_balances().values()) == 0
    assert shop.lies() == []
