"""Open items in another currency are cleared at what they are carried at, to the last cent."""

from __future__ import annotations

import pytest

from tillbridge.canonical.settlement import SettledRow, SettlementMatched
from tillbridge.posting.money.carried import OpenItems, items_of
from tillbridge.posting.money.examples import fact_of

PLACE = ("us", "customer-deposits", "order/1", "EUR")
LEFT = [(("customer-deposits", "order/1"), 10_000), (("clearing/psp", ""), -10_000)]


def _items(functional: int, txn: int) -> OpenItems:
    items = OpenItems()
    items.put(PLACE, functional, txn)
    return items


@pytest.mark.parametrize(
    ("functional", "txn", "amounts", "rest"),
    [
        (-11_000, -10_000, [11_000, -12_000], 1_000),
        (-22_000, -20_000, [11_000, -12_000], 1_000),
        (-5_500, -5_000, [11_500, -12_000], 500),
        (0, 0, [12_000, -12_000], 0),
        (11_000, 10_000, [12_000, -12_000], 0),  # the same side: it opens more, it clears nothing
    ],
)
def test_what_is_open_is_cleared_first(
    functional: int, txn: int, amounts: list[int], rest: int
) -> None:
    found = _items(functional, txn).cleared("us", "EUR", LEFT, [12_000, -12_000])
    assert found == (amounts, rest)


def test_parts_leave_nothing_behind() -> None:
    items = _items(-1_001, -1_000)
    total = 0
    for _ in range(3):
        amounts, _ = items.cleared("us", "EUR", [(PLACE[1:3], 333)], [400])
        items.put(PLACE, amounts[0], 333)
        total += amounts[0]
    (last,), _ = items.cleared("us", "EUR", [(PLACE[1:3], 1)], [1])
    assert total + last == 1_001


def test_items_of_a_fact_are_its_order_payout_cards_and_disputes() -> None:
    deposit = fact_of(
        "DepositReceived",
        {"entity": "us", "currency": "EUR", "order": "order/1", "tenders": [
            {"tender": "card", "kind": "gift_card", "amount": "1.00", "card": "G"}]},
    )  # fmt: skip
    assert items_of(deposit) == {"order/1", "card/G"}
    settled = fact_of(
        "SettlementMatched",
        {"entity": "us", "currency": "EUR", "account": "psp", "payout": "p1", "rows": []},
    )
    assert isinstance(settled, SettlementMatched)
    assert SettledRow("fee", 1, "psp").bank == ""
    assert items_of(settled) == {"payout/psp/p1"}
