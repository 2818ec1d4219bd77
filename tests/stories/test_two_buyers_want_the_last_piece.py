"""Two buyers, one piece: one of them has it, the other is told, and a return makes it his."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def held(shop: House) -> list[tuple[str, int]]:
    return shop.rows("select key, quantity / 1000 from reservation order by key")


def test_the_first_placed_has_it_and_the_second_is_a_case_not_a_promise(shop: House) -> None:
    shop.web("orders/create", paid_order(4700, [line(1, quantity=19)], "190.00"))
    for number in (4711, 4712):  # in one batch
        shop.web("orders/create", paid_order(number, [line(1)], "10.00"), flow=False)
    shop.flow()
    assert shop.stock("P1") == (20, 20)
    assert held(shop) == [("order/web/4700", 19), ("order/web/4711", 1)]
    assert shop.cases() == ["stock_short"]
    status = "select key, status from order_state where key > 'order/web/4700' order by 1"
    assert shop.rows(status) == [("order/web/4711", "paid"), ("order/web/4712", "short")]
    assert shop.lies(quiesced=False) == []

    # the first buyer changes his mind before it leaves: the second one has it by himself
    back = {"id": 5, "line_item_id": 1, "quantity": 1, "subtotal": "10.00", "total_tax": "0.00"}
    back |= {"restock_type": "cancel", "location_id": None, "line_item": line(1)}
    shop.web("refunds/create", refund(3, 4711, [back], "10.00"))
    assert not shop.drain().moving
    assert held(shop) == [("order/web/4700", 19), ("order/web/4712", 1)]
    assert shop.cases() == []
    shop.web("fulfillments/create", shipment(1, 4712, {1: 1}))
    assert shop.stock("P1") == (19, 19)
    assert shop.balances() == {
        "clearing/shop-pay": 19000 + 1000,
        "customer-deposits": -19000,
        "sales/unassigned": -1000,
    }
    assert not shop.drain().moving
    assert shop.statuses() == {"#4700": "paid", "#4711": "refunded", "#4712": "shipped"}
    kinds = [op.split("/")[3] for op, state in shop.documents().items() if state == "accepted"]
    assert sorted(kinds) == ["invoice", *["sales_order"] * 3, "sales_order_cancel"]
    assert shop.lies() == []
