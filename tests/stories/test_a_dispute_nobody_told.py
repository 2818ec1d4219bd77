"""The bank took a buyer's money back and the webhook that says so never came. The settlement tells
it: the amount is known and has an owner at once; when the dispute is told after all, nothing counts
twice. Whatever is told again changes neither journal nor balance.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.checkout import checkout
from tests.stories.shop import House, house
from tests.stories.test_payout_down_to_the_bank_line import (
    CONNECTIONS,
    lines,
    payouts,
    transaction,
)
from tillbridge.atoms.clock import FixedClock


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    """A house whose call centre takes cards through the provider."""

    def furnish(folder: Path) -> None:
        settings = folder / "tillbridge.toml"
        account = CONNECTIONS.replace('tenders = ["shop-pay"]', 'tenders = ["card"]')
        settings.write_text(settings.read_text() + account)

    clock = FixedClock(datetime(2026, 3, 6, 12, tzinfo=UTC))
    with house(tmp_path / "shop", database_url, clock=clock, furnish=furnish) as found:
        yield found


def books(shop: House) -> tuple[list[tuple[object, ...]], dict[str, int]]:
    """The journal line by line, and what it comes to."""
    journal = shop.rows(
        "select e.fact, l.account, l.amount from entry e join entry_line l on l.entry = e.id"
        " order by 1, 2, 3"
    )
    return journal, shop.balances()


def test_the_settlement_tells_it_and_the_late_webhook_adds_nothing(shop: House) -> None:
    with checkout(shop) as web:
        web.order("D-1", "100.00")
        web.payment("D-1", "captured", "ch_1", "100.00")
        charge = {**transaction(801, "charge", "100.00", "3.20", None), "source_id": "ch_1"}
        withheld = transaction(802, "dispute", "-100.00", "15.00", None, payout=92)
        charge["source_id"], withheld["source_id"] = None, 7001
        charge["source_order_transaction_id"] = None
        charge["source_order_id"] = None
        shop.file("shop-pay", payouts((92, "paid", "2026-03-06", "-115.00")))
        shop.file("shop-pay", lines(withheld))
        shop.settle()
        # nobody told of a dispute: it is a case of finance all the same, and its amount is exact
        assert shop.rows("select reason, owner, amount from exception_case") == [
            ("settlement_line_unmatched", "finance", 11_500)
        ]
        assert shop.balances()["clearing/card"] == 10_000 + 11_500 - 1_500
        page = shop.verb("reconcile", "status")
        assert "(dispute/dispute): no such money in the hub" in page
        assert "unexplained" not in page

        web.payment("D-1", "disputed", "7001", "100.00", fee="15.00", parent="ch_1")
        shop.settle()
        assert shop.cases() == ["payment_disputed"]  # now somebody has to answer the bank
        told = shop.balances()
        assert (told["disputes"], told["fees/card"]) == (10_000, 1_500)
        assert told["clearing/card"] == 10_000  # the charge itself is not paid out yet
        assert told["payouts-in-transit"] == -11_500

        # everything once more, and once more: journal and balance stand as they stood
        before = books(shop)
        for _ in range(2):
            web.payment("D-1", "disputed", "7001", "100.00", fee="15.00", parent="ch_1")
            web.payment("D-1", "captured", "ch_1", "100.00")
            shop.file("shop-pay", lines(withheld))
            shop.file("shop-pay", payouts((92, "paid", "2026-03-06", "-115.00")))
            shop.settle()
        assert books(shop) == before
        sums: dict[str, int] = {}
        for _, account, amount in before[0]:
            sums[str(account)] = sums.get(str(account), 0) + int(str(amount))
        assert {name: amount for name, amount in sums.items() if amount} == before[1]

        web.payment("D-1", "dispute_won", "7001", "", at="2026-03-09T09:31:00Z")
        won = transaction(803, "dispute_reversal", "100.00", "0.00", None, payout=93)
        won["source_id"] = 7001
        shop.file("shop-pay", payouts((93, "paid", "2026-03-10", "100.00")))
        shop.file("shop-pay", lines(won))
        shop.settle()
    assert shop.cases() == []
    assert "disputes" not in shop.balances()
    assert shop.balances()["fees/card"] == 1_500
    assert shop.balances()["payouts-in-transit"] == -1_500
    assert not shop.drain().moving
    assert shop.documents()["order/callcentre/D-1/sales_order"] == "accepted"
    assert shop.lies(quiesced=False) == []
