"""Money goes back that no line explains, that comes before its order, or for goods without a
receipt: what is known is booked, what is not is asked.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.stories.returning import Desk, furnished
from tests.stories.shop import house, line, paid_order, refund, shipment
from tests.stories.till_files import goods, poslog, receipt, tender

LINES = [line(1, quantity=2, price="10.00")]
ORDER = paid_order(4711, LINES, "20.00")
NAMED = refund(3, 4711, [], "5.00")
NAMELESS = refund(3, 4711, [], "5.00", order_adjustments=[])
TOLD = (
    ("orders/create", ORDER),
    ("fulfillments/create", shipment(1, 4711, {1: 2})),
    ("refunds/create", NAMED),
)
POLICY = """
[[policy]]
return_without_receipt = "store_credit"
"""


@pytest.mark.parametrize("told", list(permutations(TOLD)))
def test_an_allowance_is_taken_off_the_revenue_whenever_it_is_told(
    tmp_path: Path, database_url: str, told: tuple[tuple[str, dict[str, Any]], ...]
) -> None:
    with house(tmp_path / "house", database_url) as shop:
        for topic, body in told:
            shop.web(topic, body)
        assert shop.cases() == []
        assert shop.stock("P1") == (18, 0)
        assert not shop.drain().moving
        booked = shop.balances()
        assert sum(booked.pop(one) for one in list(booked) if one != "clearing/shop-pay") == -1500
        assert booked == {"clearing/shop-pay": 1500}
        assert shop.statuses() == {"#4711": "shipped"}
        assert shop.erp.store.counts()["credit_note"] == 1
        assert shop.erp_balances()["receivable"] == 1500
        assert shop.lies() == []


@pytest.mark.parametrize("late", [False, True])
def test_money_given_back_for_nothing_named_is_asked_for_and_not_guessed(
    tmp_path: Path, database_url: str, late: bool
) -> None:
    told = [("orders/create", ORDER), ("fulfillments/create", shipment(1, 4711, {1: 2}))]
    at = 2 if late else 0
    told.insert(at, ("refunds/create", NAMELESS))
    with house(tmp_path / "house", database_url) as shop:
        for topic, body in told:
            shop.web(topic, body)
        assert shop.cases() == ["refund_unexplained"]
        assert "5.00 USD were given back for no goods" in shop.verb("cases", "list")
        assert shop.balances() == {
            "clearing/shop-pay": 1500, "sales/unassigned": -2000, "customer-deposits": 500,
        }  # fmt: skip
        again = {**NAMED, "processed_at": "2026-03-04T09:05:00-05:00"}
        shop.web("refunds/create", again)
        assert (shop.cases(), shop.cases("resolved")) == ([], ["refund_unexplained"])
        assert shop.balances().get("customer-deposits", 0) == 0
        assert not shop.drain().moving
        assert shop.erp.store.counts()["credit_note"] == 1
        assert shop.lies() == []


def test_goods_without_a_receipt_are_paid_for_with_store_credit_if_the_policy_says_so(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished(POLICY)) as shop:
        shop.names([("stores", "tender", "StoreCredit", "store-credit")])
        desk = Desk(shop)
        asked = desk.ask(lines=[{"product": "P1", "quantity": 1, "price": "10.80"}]).body
        desk.close()
        assert (asked["state"], asked["amount"]) == ("allowed", "10.80")
        assert [one["kind"] for one in asked["tenders"]] == ["store_credit"]

        shop.file("stores", poslog(taken_back(1, "StoreCredit")))
        assert shop.cases() == []
        assert shop.stock("P1", "store-nyc") == (6, 0)
        assert shop.balances() == {
            "sales/unassigned": 1000, "sales-tax/us-ny": 80, "store-credit-liability": -1080,
        }  # fmt: skip

        shop.file("stores", poslog(taken_back(2, "Cash")))  # the till did as it liked
        assert shop.cases() == ["return_without_receipt"]
        assert shop.balances()["till/store-nyc/cash"] == -1080
        assert shop.lies(quiesced=False) == []


def taken_back(number: int, tendered: str) -> str:
    """One piece with no sale behind it."""
    line = goods("A1", "10.00", "0.80", element="Return")
    return receipt(number, [line, tender("10.80", tendered, "Refund")], "-10.80", "-0.80")
