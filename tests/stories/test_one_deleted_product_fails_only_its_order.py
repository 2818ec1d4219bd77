"""The shop sells a product nobody knows any more: one order waits, and says for what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, shipment


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def test_its_order_names_it_and_all_others_go_on(shop: House) -> None:
    gone = line(1, sku="SKU-GONE", quantity=1, title="Lamp of last year")
    for number in range(4700, 4705):
        lines = [gone, line(2)] if number == 4702 else [line(2)]
        total = "20.00" if number == 4702 else "10.00"
        shop.web("orders/create", paid_order(number, lines, total), flow=False)
    shop.flow()
    assert shop.stock("P2") == (10, 4)  # stock of what is known is kept up
    assert shop.rows("select count(*) from order_state") == [(4,)]
    (case,) = shop.rows("select reason, words, owner, remedy from exception_case")
    assert case[0] == "mapping_missing"
    assert "SKU-GONE" in case[1]
    assert case[2] == "ecommerce"
    assert "xref set web product SKU-GONE" in case[3]
    assert not shop.drain().documents
    assert shop.erp.store.counts()["sales_order"] == 4

    shop.names([("web", "product", "SKU-GONE", "P1")])  # the one click
    shop.flow()
    assert shop.cases() == []
    shop.web("fulfillments/create", shipment(1, 4702, {1: 1, 2: 1}))
    assert (shop.stock("P1"), shop.stock("P2")) == ((19, 0), (9, 4))
    assert shop.statuses() == {
        f"#{number}": "shipped" if number == 4702 else "paid" for number in range(4700, 4705)
    }
    assert shop.balances() == {
        "clearing/shop-pay": 6000, "customer-deposits": -4000, "sales/unassigned": -2000,
    }  # fmt: skip
    assert not shop.drain().moving
    assert shop.erp.store.counts() == {"sales_order": 5, "invoice": 1}
    assert shop.lies() == []
