"""A close that fails, comes twice, comes first or never comes holds up nothing: the day's figures
are worked out from what was told, and again when more is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.one_person import works_alone
from tests.stories.shop import House, house
from tests.stories.till_files import close, goods, poslog, post_void, receipt, tender

REPORT = ("tills", "close-report", "store-nyc", "2026-03-02")


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def sale(number: int) -> str:
    return receipt(number, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")


def over_short(store: House) -> int:
    """Over and short of the store once all that is known is booked."""
    store.look_at_tills()
    store.flow()
    return store.balances().get("cash-over-short/store-nyc", 0)


def test_a_close_that_cannot_be_read_holds_up_nobody(store: House) -> None:
    broken = close(3, Cash="43.20").replace("43.20", "many")
    store.file("stores", poslog(sale(1), sale(2), broken), "day.xml")
    assert len(store.cases()) == 1
    assert store.balances()["till/store-nyc/cash"] == 4320
    store.file("stores", poslog(sale(4)), "next.xml")
    assert store.balances()["till/store-nyc/cash"] == 6480
    assert "not closed yet" in store.verb(*REPORT)
    works_alone(store.connection)
    store.verb("periods", "lock", "us", "2026-02")
    # the till closes again, under the number it has then
    store.file("stores", poslog(close(5, Cash="64.80")), "close.xml")
    assert over_short(store) == 0
    assert not store.drain().moving
    assert store.erp_balances() == store.balances()


def test_a_close_without_its_sales_is_caught_up_by_them(store: House) -> None:
    store.file("stores", poslog(close(9, Cash="43.20")), "close.xml")
    assert over_short(store) == -4320  # all of it is over: nothing is known to have been sold
    store.file("stores", poslog(sale(1)), "late.xml")
    assert over_short(store) == -2160
    store.file("stores", poslog(sale(2)), "later.xml")
    assert over_short(store) == 0
    assert store.balances()["till/store-nyc/cash"] == 4320
    assert store.stock("P1", "store-nyc") == (3, 0)
    entries = store.rows("select count(*) from entry where fact_type = 'TillCounted'")
    assert entries == [(3,)]
    assert not store.drain().moving
    assert store.erp_balances() == store.balances()
    assert store.lies() == []


def test_closed_twice_the_newest_count_stands_and_only_the_change_is_booked(store: House) -> None:
    store.file("stores", poslog(sale(1), close(2, Cash="20.00")), "day.xml")
    assert over_short(store) == 160
    store.file("stores", poslog(sale(1), close(2, Cash="20.00"), close(3, Cash="21.60")))
    assert over_short(store) == 0
    assert "2 closes, the newest counts" in store.verb(*REPORT)
    assert store.balances()["till/store-nyc/cash"] == 2160
    assert store.cases() == []


def test_a_sale_voided_before_the_count_is_not_expected(store: House) -> None:
    store.file("stores", poslog(sale(1), sale(2), post_void(3, 2), close(4, Cash="21.60")))
    assert over_short(store) == 0
    assert store.balances()["till/store-nyc/cash"] == 2160
    assert store.lies(quiesced=False) == []


def test_the_same_close_told_again_or_looked_at_books_nothing(store: House) -> None:
    store.file("stores", poslog(sale(1), close(2, Cash="21.50")), "day.xml")
    assert "-0.10" in store.verb(*REPORT, "--look")
    store.flow()
    assert "cash-over-short/store-nyc" not in store.balances()
    for _ in range(2):  # twice before the flow has taken the first
        store.verb(*REPORT)
    assert over_short(store) == 10
    assert over_short(store) == 10
    assert store.rows("select version from till_count") == [(1,)]
    assert store.lies(quiesced=False) == []
