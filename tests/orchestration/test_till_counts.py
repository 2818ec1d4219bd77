"""Counts of a till's day are taken once and in turn; a receipt's number is one sale."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec

from tests.orchestration.test_endless_aisle import line, sale
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.valued import CountedTender, TillCounted
from tillbridge.orchestration.sales.counts import CountState, counted
from tillbridge.orchestration.sales.receipts import number_of, told_twice

KEY = "count/tills/store-nyc/4/2026-03-02"


def count(version: int, difference: int) -> TillCounted:
    return TillCounted(
        key=KEY,
        id=f"{KEY}/{version}",
        source="hub",
        mapping="hub/1",
        occurred_at=datetime(2026, 3, 2, 20, tzinfo=UTC),
        business_date=date(2026, 3, 2),
        entities=Entities("us"),
        location="store-nyc",
        till="4",
        currency="USD",
        version=version,
        rows=(CountedTender("cash", "cash", 9800, 10000, difference),),
    )


def test_each_count_adds_to_what_is_booked_and_is_taken_once() -> None:
    first = counted(CountState(KEY), count(1, -200))
    assert first is not None
    assert (first.version, first.booked) == (1, {"cash": -200})
    assert counted(first, count(1, -200)) is None
    second = counted(first, count(2, 150))
    assert second is not None
    assert second.booked == {"cash": -50}


def test_one_that_was_overtaken_is_left_to_the_next_look() -> None:
    assert counted(CountState(KEY, 3, {"cash": -50}), count(2, 999)) is None
    assert counted(CountState(KEY), count(2, 999)) is None


def test_a_receipt_is_known_by_till_day_and_the_number_on_it() -> None:
    receipt = sale(line("1", 1080))
    assert number_of(receipt) is None
    printed = msgspec.structs.replace(receipt, receipt="R-1")
    assert number_of(printed) == ("store-nyc", "4", date(2026, 3, 2), "R-1")
    case = told_twice(printed, "sale/tills/12/4/2026-03-02/3")
    assert (case.reason, case.owner, case.amount) == ("receipt_twice", "stores", 1080)
