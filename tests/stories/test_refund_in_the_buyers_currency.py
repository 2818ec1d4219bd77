"""A shop in Iceland sells to Britain: what the buyer saw in pounds is never booked as crowns.

Other systems post ISK 4.400 as GBP, or take a missing rate for 1. Here an amount in the buyer's
currency alone makes the hub read the order again, where the shop's own amount stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, bag, house, line, paid_order, refund, shipment, tax


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


SOLD = line(1, price="44.00")
ORDER = paid_order(4711, [SOLD], "44.00")


def given_back(**transaction: Any) -> dict[str, Any]:
    """A refund of the whole piece, whose payment is told as given."""
    back = {"id": 5, "line_item_id": 1, "quantity": 1, "subtotal": "44.00", "total_tax": "0.00"}
    back |= {"restock_type": "return", "location_id": 5501, "line_item": SOLD}
    told = refund(3, 4711, [back], "44.00", refund_line_items=[back])
    told["transactions"] = [{**told["transactions"][0], **transaction}]
    return told


def test_a_refund_told_in_the_buyers_currency_alone_is_read_again(shop: House) -> None:
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 4711, {1: 1}))
    books = {"clearing/shop-pay": 4400, "sales/unassigned": -4400}
    assert shop.balances() == books
    # the buyer got 34.50 GBP back; the shop's 44.00 USD are not told
    shop.web("refunds/create", given_back(amount="34.50", currency="GBP"))
    assert shop.balances() == books  # nothing is believed, nothing is booked at a rate of 1
    assert shop.rows("select count(*) from record where type = 'RefundIssued'") == [(0,)]
    asked = shop.rows("select count(*) from record where type = 'RereadObject'")
    assert asked == [(1,)]
    # what the order says, read again: both amounts of every movement
    both = {
        **bag("44.00", "USD"),
        "presentment_money": {"amount": "34.50", "currency_code": "GBP"},
    }
    told = given_back(amount="34.50", currency="GBP", amount_set=both)
    shop.web("orders/updated", {**ORDER, "refunds": [told], "updated_at": "2026-03-05T09:00:00Z"})
    assert shop.cases() == []
    assert shop.balances() == {}
    assert shop.stock("P1") == (20, 0)
    assert shop.statuses() == {"#4711": "refunded"}
    shop.drain()
    papers = shop.rows("select total, state from document where kind = 'credit_note'")
    assert papers == [(4400, "accepted")]
    assert shop.lies(quiesced=False) == []


def test_what_the_buyer_saw_is_kept_beside_what_is_booked(shop: House) -> None:
    sold = {
        **ORDER,
        "total_price_set": both("48.00", "37.64"),
        "total_tax": "4.00",
        "total_tax_set": both("4.00", "3.14"),
        "total_price": "48.00",
    }
    taxed = {**SOLD, "tax_lines": [tax("4.00", 0.0909)]}
    sold["line_items"] = [taxed]
    shop.web("orders/create", sold)
    shop.web("fulfillments/create", shipment(1, 4711, {1: 1}))
    assert shop.cases() == []
    told = shop.verb("story", "4711")
    assert "48.00 USD; the buyer saw 37.64 GBP, 3.14 of it tax" in told
    assert shop.balances() == {
        "clearing/shop-pay": 4800, "sales/unassigned": -4400, "sales-tax/us-ny": -400,
    }  # fmt: skip
    # a figure that is none of its currency holds nothing up
    strange = {**sold, "id": 4712, "name": "#4712", "total_price_set": both("48.00", "37.641")}
    shop.web("orders/create", strange)
    assert shop.cases() == []
    assert "the buyer saw" not in shop.verb("story", "4712")
    assert shop.lies(quiesced=False) == []


def both(shops: str, buyers: str) -> dict[str, Any]:
    """An amount as the shop has it and as the buyer saw it."""
    return {
        **bag(shops, "USD"), "presentment_money": {"amount": buyers, "currency_code": "GBP"},
    }  # fmt: skip


def test_a_payment_in_another_currency_is_a_case_and_not_a_sum(shop: House) -> None:
    shop.web("orders/create", {**ORDER, "financial_status": "pending"})
    sale = {
        "id": 600,
        "order_id": 4711,
        "kind": "sale",
        "status": "success",
        "amount": "34.50",
        "currency": "GBP",
        "gateway": "shopify_payments",
        "created_at": "2026-03-02T22:15:03-05:00",
    }
    wrong = {**sale, "amount_set": bag("34.50", "GBP")}  # the set itself is in pounds
    shop.web("order_transactions/create", wrong)
    assert shop.balances() == {}
    assert shop.rows("select reason, owner, amount, currency from exception_case") == [
        ("currency_mismatch", "finance", 4400, "USD")
    ]
