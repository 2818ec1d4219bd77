"""The shop tells `paid` before `created`: nothing is dropped, nothing is booked twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house, line, paid_order, shipment

KEY = "order/web/4711"
ORDER = paid_order(4711, [line(1, quantity=2, price="10.00")], "20.00")
UNPAID = {**ORDER, "financial_status": "pending"}
PAID = {**ORDER, "updated_at": "2026-03-02T22:16:00-05:00"}
PAYMENT: dict[str, Any] = {
    "id": 600,
    "order_id": 4711,
    "kind": "sale",
    "status": "success",
    "amount": "20.00",
    "currency": "USD",
    "gateway": "shopify_payments",
    "created_at": "2026-03-02T22:15:03-05:00",
}
TOLD = (
    ("orders/paid", PAID),
    ("order_transactions/create", PAYMENT),
    ("fulfillments/create", shipment(1, 4711, {1: 2})),
    ("orders/create", UNPAID),
)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


@pytest.mark.parametrize("order", [TOLD, TOLD[::-1], *list(permutations(TOLD))[5:18:6]])
def test_the_end_is_the_same_whatever_was_told_first(
    shop: House, order: tuple[tuple[str, dict[str, Any]], ...]
) -> None:
    for topic, body in order:
        shop.web(topic, body)
    assert shop.cases() == []
    assert shop.stock("P1") == (18, 0)
    assert shop.balances() == {"clearing/shop-pay": 2000, "sales/unassigned": -2000}
    assert shop.rows("select status from order_state") == [("shipped",)]
    assert not shop.drain().moving
    counts = shop.erp.store.counts()
    assert (counts["sales_order"], counts["invoice"]) == (1, 1)
    assert shop.erp.store.duplicates() == {}
    assert shop.lies() == []


def test_money_without_its_order_waits_and_is_not_lost(shop: House) -> None:
    shop.web("order_transactions/create", PAYMENT)
    assert shop.balances() == {}
    assert shop.rows("select status from order_state where key = %s", KEY) == [("told",)]
    assert shop.lies(quiesced=False) == []
