"""One order told again and again, at the same instant, under other ids and other timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, shipment

ORDER = paid_order(4711, [line(1, quantity=2, price="10.00")], "20.00")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def test_four_tellings_that_differ_by_their_timestamps_alone_are_one_order(shop: House) -> None:
    shop.web("orders/create", ORDER, "one", flow=False)
    assert shop.web("orders/create", ORDER, "one", flow=False) == "duplicate"
    assert shop.web("orders/create", ORDER, "two", flow=False) == "new"
    for second in (1, 2, 3):  # the content is new each time, the order is not
        told = {**ORDER, "updated_at": f"2026-03-02T22:15:0{second}-05:00"}
        assert shop.web("orders/updated", told, flow=False) == "new"
    parcel = shipment(1, 4711, {1: 2})
    for second in (1, 2, 3):
        told = {**parcel, "updated_at": f"2026-03-03T09:00:0{second}-05:00"}
        shop.web("fulfillments/update", told, flow=False)
    shop.flow()
    assert shop.cases() == []
    assert shop.statuses() == {"#4711": "shipped"}
    assert shop.stock("P1") == (18, 0)
    assert shop.balances() == {"clearing/shop-pay": 2000, "sales/unassigned": -2000}
    booked = "select count(*) from record where type = %s"
    assert shop.rows(booked, "DepositReceived") == [(1,)]
    assert shop.rows(booked, "SaleRecognised") == [(1,)]
    assert not shop.drain().moving
    counts = shop.erp.store.counts()
    assert (counts["sales_order"], counts["invoice"]) == (1, 1)
    assert shop.erp.store.duplicates() == {}
    assert shop.lies() == []
