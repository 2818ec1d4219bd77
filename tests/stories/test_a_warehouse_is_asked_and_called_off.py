"""A fulfilment service is asked for what an order holds at its centers, and called off in time, or
too late; its parcels are told by it, and by the shop again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import line, refund, shipment
from tests.stories.warehouses import ASK, KEY, Floors, floors
from tillbridge.app.replay.whole_log import replay_log
from tillbridge.connectors.sandbox.erp_faults import Fault


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[Floors]:
    with floors(tmp_path / "house", database_url) as found:
        yield found


def less(pieces: int) -> dict[str, Any]:
    """The buyer wants so many pieces less, and gets his money back."""
    row = {
        "id": 3, "line_item_id": 1, "quantity": pieces, "subtotal": f"{pieces * 10}.00",
        "total_tax": "0.00", "restock_type": "cancel", "location_id": None,
        "line_item": line(1, quantity=2, price="10.00"),
    }  # fmt: skip
    return refund(3, 4711, [row], f"{pieces * 10}.00")


def test_it_is_asked_once_and_its_parcel_counts_once(house: Floors) -> None:
    house.service.faults.add(Fault(do="lost"))
    house.ordered((1, 2))
    shop, request = house.shop, f"{ASK}/1"
    assert house.asked(house.service) == [("1", "Processing", 21, {"SKU-1": 2})]
    assert shop.stock("P1") == (20, 2)
    house.service.pick(request)
    house.service.ship(request)
    house.settled()
    shop.web("fulfillments/create", shipment(9, 4711, {1: 2}))  # the shop was told of it
    house.settled()
    assert shop.stock("P1") == (18, 0)
    assert house.papers() == [
        ("fulfilment_request/1", "accepted"),
        ("invoice/1", "accepted"),
        ("sales_order", "accepted"),
    ]
    assert shop.balances() == {"clearing/shop-pay": 2000, "sales/unassigned": -2000}
    house.service.deliver(request)
    house.settled()
    assert shop.rows("select status from order_state where key = %s", KEY) == [("delivered",)]
    assert shop.cases() == []
    assert shop.lies() == []
    shop.connection.rollback()
    assert replay_log(shop.hub).same


def test_a_cancellation_in_time_frees_the_goods_once_it_is_confirmed(house: Floors) -> None:
    house.ordered((1, 2))
    house.service.stop()
    house.cancelled((1, 2), seconds=2.0)
    assert house.shop.stock("P1") == (20, 2)  # nobody knows yet whether they leave
    house.service.start()
    house.shop.rows("update dest set open_until = null, failures = 0 returning 1")
    house.settled()
    assert house.asked(house.service) == [("1", "Cancelled", 21, {"SKU-1": 2})]
    assert house.shop.stock("P1") == (20, 0)
    assert ("sales_order_cancel/1", "accepted") in house.papers()
    assert house.shop.lies() == []


def test_too_late_the_goods_leave_and_somebody_agrees_their_return(house: Floors) -> None:
    house.ordered((1, 2))
    house.service.pick(f"{ASK}/1")
    house.settled()
    house.cancelled((1, 2))
    shop = house.shop
    assert shop.cases() == ["called_off_too_late"]
    assert shop.stock("P1") == (20, 2)
    house.service.ship(f"{ASK}/1")
    house.settled()
    assert shop.stock("P1") == (18, 0)
    assert shop.cases() == ["called_off_too_late"]
    story = shop.verb("story", "4711")
    assert "too_late: shipment 40010: The shipment is already being worked on" in story
    assert "called off in time" in story
    assert shop.lies() == []


def test_less_is_asked_for_anew_once_the_whole_is_called_off(house: Floors) -> None:
    house.ordered((1, 2))
    house.shop.web("refunds/create", less(1))
    house.settled()
    assert house.asked(house.service) == [
        ("1", "Cancelled", 21, {"SKU-1": 2}),
        ("2", "Processing", 21, {"SKU-1": 1}),
    ]
    assert house.shop.stock("P1") == (20, 1)
    house.service.ship(f"{ASK}/2")
    house.settled()
    assert house.shop.stock("P1") == (19, 0)
    assert house.shop.balances() == {"clearing/shop-pay": 1000, "sales/unassigned": -1000}
    assert house.shop.cases() == []
    assert house.shop.lies() == []


def test_what_is_not_found_is_asked_of_the_other_center(house: Floors) -> None:
    house.ordered((1, 2))
    house.service.run_out(f"{ASK}/1")
    house.settled()
    assert house.asked(house.service) == [
        ("1", "Cancelled", 21, {"SKU-1": 2}),
        ("2", "Processing", 22, {"SKU-1": 2}),
    ]
    shop = house.shop
    assert (shop.stock("P1"), shop.stock("P1", "store-nyc")) == ((18, 0), (5, 2))
    house.service.ship(f"{ASK}/2")
    house.settled()
    assert shop.stock("P1", "store-nyc") == (3, 0)
    assert shop.cases() == []
    assert shop.lies() == []
