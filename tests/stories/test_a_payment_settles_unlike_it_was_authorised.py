"""Held 70, taken 65, settled 40 and 24.70 in two payouts: each amount is kept as what it is. What
never came is known to the cent, has an owner, and is booked as what two persons say it is.
"""

from __future__ import annotations

from typing import Any

from tests.stories.shop import House, line, paid_order, shipment
from tests.stories.test_payout_down_to_the_bank_line import (
    lines,
    payouts,
    second_person,
    shop,
    statement,
    transaction,
)

__all__ = ["shop"]
KEY = "payout/shop-pay/92"


def told(number: int, kind: str, amount: str, parent: int | None = None) -> dict[str, Any]:
    """A transaction of the order, as the shop tells it."""
    return {
        "id": number,
        "order_id": 1001,
        "kind": kind,
        "status": "success",
        "amount": amount,
        "currency": "USD",
        "gateway": "shopify_payments",
        "parent_id": parent,
        "payment_id": "c1001.1",
        "created_at": "2026-03-03T09:00:00-05:00",
    }


def cases(shop: House) -> list[tuple[object, ...]]:
    """Open cases with owner and what is at stake."""
    return shop.rows(
        "select reason, owner, amount from exception_case where state = 'open' order by id"
    )


def test_what_was_held_taken_and_settled_are_three_amounts(shop: House) -> None:
    order = paid_order(1001, [line(1, price="65.00")], "65.00", financial_status="authorized")
    shop.web("orders/create", order)
    shop.web("order_transactions/create", told(500, "authorization", "70.00"))
    assert shop.balances() == {}  # held is not taken
    shop.web("order_transactions/create", told(501, "capture", "65.00", parent=500))
    shop.web("order_transactions/create", told(502, "void", "5.00", parent=500))
    shop.web("fulfillments/create", shipment(1, 1001, {1: 1}))
    assert shop.balances() == {"clearing/shop-pay": 6500, "sales/unassigned": -6500}
    assert shop.cases() == []

    # two payouts take a part each: the first leaves exactly the rest open
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "38.80")))
    shop.file("shop-pay", lines(transaction(801, "charge", "40.00", "1.20", 501)))
    shop.settle()
    assert cases(shop) == [("settlement_line_differs", "finance", 2500)]
    assert shop.balances()["clearing/shop-pay"] == 2500
    shop.file("shop-pay", payouts((92, "paid", "2026-03-06", "23.95")))
    shop.file("shop-pay", lines(transaction(802, "charge", "24.70", "0.75", 501, payout=92)))
    shop.settle()
    shop.settle()
    assert cases(shop) == [("settlement_line_differs", "finance", 30)]
    assert shop.balances()["clearing/shop-pay"] == 30
    page = shop.verb("reconcile", "status")
    assert "0.30  line 802 of payout 92 for order/web/1001: settled otherwise than booked" in page
    assert "unexplained" not in page

    day = "2026-03-06"
    bank = [("38.80", day, "SHOPIFY a"), ("23.95", day, "SHOPIFY b")]
    shop.file("house-bank", statement("S1", "0.00", "62.75", bank))
    shop.verb("reconcile", "accept", KEY, "--as", "difference", "--reason", "told by phone")
    second_person(shop)
    shop.settle()
    assert shop.cases() == []
    assert not shop.drain().moving
    assert shop.balances() == {
        "sales/unassigned": -6500,
        "fees/shop-pay": 120 + 75,
        "settlement-differences": 30,
        "bank/house-bank": 6275,
    }
    assert shop.stock("P1") == (19, 0)
    assert shop.statuses() == {"#1001": "shipped"}
    assert set(shop.documents().values()) == {"accepted"}
    assert "differs by" not in shop.verb("reconcile", "status")
    assert shop.lies(quiesced=False) == []


def test_more_than_was_taken_is_no_gift(shop: House) -> None:
    shop.web("orders/create", paid_order(1001, [line(1, price="65.00")], "65.00"))
    shop.web("order_transactions/create", told(501, "sale", "65.00"))
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "66.00")))
    shop.file("shop-pay", lines(transaction(801, "charge", "66.00", "0.00", 501)))
    shop.settle()
    assert cases(shop) == [("settlement_line_differs", "finance", 100)]
    assert shop.balances()["clearing/shop-pay"] == -100
    shop.file("shop-pay", payouts((92, "paid", "2026-03-06", "-1.00")))
    taken_back = transaction(802, "charge", "-1.00", "0.00", 501, payout=92)
    shop.file("shop-pay", lines(taken_back))
    shop.settle()
    shop.settle()
    assert shop.cases() == []  # the provider's own correction closes it
    assert "clearing/shop-pay" not in shop.balances()
    assert shop.lies(quiesced=False) == []
