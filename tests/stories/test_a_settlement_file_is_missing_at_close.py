"""March is over and the provider's file never came: the close list says so, with its owner, before
anybody looked for it. The file comes, piece by piece, and the list is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.shop import House, house, shipment
from tests.stories.test_payout_down_to_the_bank_line import (
    CONNECTIONS,
    lines,
    payouts,
    sold,
    statement,
    transaction,
)
from tillbridge.atoms.clock import FixedClock

CLOSED_ON = datetime(2026, 4, 3, 12, tzinfo=UTC)
Row = tuple[str, str, int | None]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 4, 12, tzinfo=UTC))


@pytest.fixture
def shop(tmp_path: Path, database_url: str, clock: FixedClock) -> Iterator[House]:
    """A house whose provider and bank are read, by files alone."""

    def furnish(folder: Path) -> None:
        settings = folder / "tillbridge.toml"
        settings.write_text(settings.read_text() + CONNECTIONS)

    with house(tmp_path / "shop", database_url, clock=clock, furnish=furnish) as found:
        yield found


def month_ends(shop: House, clock: FixedClock) -> tuple[int, int]:
    """Two sales of early March, sent; then it is April and nobody dropped a file."""
    first, second = sold(shop, 1001, "100.00"), sold(shop, 1002, "50.00")
    shop.web("fulfillments/create", shipment(1, 1001, {10_010: 1}))
    shop.web("fulfillments/create", shipment(2, 1002, {10_020: 1}))
    assert not shop.drain().moving
    clock.sleep((CLOSED_ON - clock.now()).total_seconds())
    shop.settle()
    return first, second


def listed(shop: House, code: int = 1) -> list[Row]:
    """What blocks March, for whom, and how much is at stake."""
    told = json.loads(shop.verb("--json", "close", "us", "2026-03", code=code))["blockers"]
    assert all(row["words"] and row["remedy"] for row in told)
    return [(row["kind"], row["owner"], row["amount"]) for row in told]


def test_the_list_names_the_missing_file_until_it_has_come(shop: House, clock: FixedClock) -> None:
    first, second = month_ends(shop, clock)
    assert listed(shop) == [("file", "finance", 15_000)]
    page = shop.verb("close", "us", "2026-03", code=1)
    assert "2 payment(s) of 150.00 USD that shop-pay took from 2026-03-03" in page
    assert "put the provider's file into drop/shop-pay/" in page
    assert "still block it" in shop.verb("periods", "soft-close", "us", "2026-03", code=1)
    assert shop.balances()["clearing/shop-pay"] == 15_000

    # the bank tells of money first: whose it is nobody can say before the file
    shop.file("house-bank", statement("S1", "0.00", "95.10", [("95.10", "2026-03-06", "SHOPIFY")]))
    shop.settle()
    assert sorted(listed(shop)) == [("case", "finance", 9_510), ("file", "finance", 15_000)]

    # then the heads of both payouts, then the lines of one: each step leaves less
    heads = payouts((91, "paid", "2026-03-05", "95.10"), (92, "paid", "2026-03-06", "48.25"))
    shop.file("shop-pay", heads)
    shop.settle()
    assert ("payout", "finance", 9_510) in listed(shop)
    shop.file("shop-pay", lines(transaction(801, "charge", "100.00", "4.90", first)))
    shop.settle()
    assert ("file", "finance", 5_000) in listed(shop)
    assert shop.balances()["bank/house-bank"] == 9_510

    missing = lines(transaction(802, "charge", "50.00", "1.75", second, payout=92))
    shop.file("shop-pay", missing)
    shop.settle()
    assert listed(shop) == [("payout", "finance", 4_825)]  # on no statement yet, a month later
    more = statement("S2", "95.10", "143.35", [("48.25", "2026-03-09", "SHOPIFY")])
    shop.file("house-bank", more)
    shop.settle()
    assert listed(shop, code=0) == []
    assert "soft-closed" in shop.verb("periods", "soft-close", "us", "2026-03")

    assert shop.cases() == []
    assert set(shop.cases("resolved")) >= {"settlement_missing", "bank_line_unexplained"}
    books = shop.balances()
    assert "clearing/shop-pay" not in books
    assert "payouts-in-transit" not in books
    assert (books["fees/shop-pay"], books["bank/house-bank"]) == (490 + 175, 14_335)
    assert shop.stock("P1") == (18, 0)
    assert shop.statuses() == {"#1001": "shipped", "#1002": "shipped"}
    assert set(shop.documents().values()) == {"accepted"}
    assert shop.lies(quiesced=False) == []


def test_a_person_may_say_that_nothing_will_come(shop: House, clock: FixedClock) -> None:
    """The provider ended the account; what it owes is claimed elsewhere, the month goes on."""
    month_ends(shop, clock)
    assert listed(shop) == [("file", "finance", 15_000)]
    ((number,),) = shop.rows("select id from exception_case where state = 'open'")
    shop.verb("cases", "resolve", str(number), "--note", "claimed in writing")
    assert listed(shop, code=0) == []
    third = sold(shop, 1003, "10.00")  # told late: another finding, so it is asked again
    assert third
    shop.settle()
    assert not shop.drain().moving
    assert listed(shop) == [("file", "finance", 16_000)]
    assert shop.lies(quiesced=False) == []
