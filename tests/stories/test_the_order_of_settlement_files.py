"""Whatever order files, orders and refunds come in: payouts, fees and what is still open are what
was captured less what was refunded, to the cent.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stories.shop import House, refund
from tests.stories.test_payout_down_to_the_bank_line import (
    lines,
    payouts,
    shop,
    sold,
    statement,
    transaction,
)

__all__ = ["shop"]

CAPTURED, REFUNDED = (100_00, 50_00, 30_00), 25_00
FEES = (320, 175, 117)
Step = Callable[[], object]


def _steps(shop: House) -> list[Step]:
    rows = [
        transaction(801 + n, "charge", f"{amount / 100:.2f}", f"{fee / 100:.2f}", (1001 + n) * 100,
                    payout=91 + n // 2)
        for n, (amount, fee) in enumerate(zip(CAPTURED, FEES, strict=True))
    ]  # fmt: skip
    rows.append(transaction(804, "refund", "-25.00", "0.00", 70, payout=92))
    first, second = 150_00 - 320 - 175, 30_00 - 117 - 25_00
    return [
        *(lambda n=n, amount=amount: sold(shop, 1001 + n, f"{amount / 100:.2f}")
          for n, amount in enumerate(CAPTURED)),
        lambda: shop.web("refunds/create", refund(7, 1001, [], "25.00")),
        lambda: shop.file("shop-pay", lines(*rows[:2])),
        lambda: shop.file("shop-pay", lines(*rows[2:])),
        lambda: shop.file(
            "shop-pay", payouts((91, "paid", "2026-03-04", f"{first / 100:.2f}"))
        ),
        lambda: shop.file(
            "shop-pay", payouts((92, "paid", "2026-03-05", f"{second / 100:.2f}"))
        ),
        lambda: shop.file(
            "house-bank",
            statement("S1", "0.00", f"{first / 100:.2f}",
                      [(f"{first / 100:.2f}", "2026-03-05", "SHOPIFY")]),
        ),
    ]  # fmt: skip


def _settled(shop: House) -> int:
    """Payouts on their way and at the bank, fees, and what the provider still owes."""
    balances = shop.balances()
    parts = ("clearing/shop-pay", "fees/shop-pay", "payouts-in-transit", "bank/house-bank")
    return sum(balances.get(account, 0) for account in parts)


def _told(shop: House) -> int:
    """Captured less refunded, of what the orders' own entries tell so far."""
    (row,) = shop.rows(
        "select coalesce(sum(l.amount), 0)::int from entry e join entry_line l on l.entry = e.id"
        " where l.account = 'clearing/shop-pay' and e.fact_type <> 'SettlementMatched'"
    )
    return int(row[0])


@pytest.mark.parametrize("seed", range(4))
def test_payouts_fees_and_open_clearing_are_captured_less_refunded(shop: House, seed: int) -> None:
    steps = _steps(shop)
    random.Random(seed).shuffle(steps)  # noqa: S311 - a seeded test
    for step in steps:
        step()
        if seed:
            shop.settle()
        assert _settled(shop) == _told(shop)  # at every moment, whatever is still missing
    shop.settle()
    shop.settle()
    assert _settled(shop) == sum(CAPTURED) - REFUNDED
    assert shop.cases() == []
    balances = shop.balances()
    assert "clearing/shop-pay" not in balances
    assert balances["fees/shop-pay"] == sum(FEES)
    assert balances["bank/house-bank"] == 150_00 - 320 - 175
    assert balances["payouts-in-transit"] == 30_00 - 117 - 25_00
    assert shop.lies() == []


def test_a_log_with_settlements_is_replayed_to_the_same_books(shop: House, tmp_path: Path) -> None:
    for step in _steps(shop):
        step()
    shop.settle()
    shop.drain()
    told = shop.verb("db", "replay-log")
    assert "same" in told
    assert tmp_path.exists()
