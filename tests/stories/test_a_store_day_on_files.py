"""A store's day on files: told in pieces while it trades, and whole again at night. Opened, a loan,
sales, a pay-out, a count with a difference, the close; books, stock and the ERP's journals.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tests.stories.till_files import cash, close, control, goods, poslog, receipt, tender

OPEN = control(1, "BusinessSOD")
LOAN = cash(2, "TillLoan", "200.00")
HAT = receipt(3, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")
SOCKS = receipt(4, [goods("A2", "10.00", "0.80"), tender("10.80", "CreditDebit")], "10.80", "0.80")
WINDOWS = cash(5, "PaidOut", "12.00")
LATE = receipt(6, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")
CLOSE = close(7, Cash="230.20", CreditDebit="10.80")
REPORT = ("tills", "close-report", "store-nyc", "2026-03-02")


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def booked(store: House) -> list[tuple[int, int]]:
    """Counts in the book: version, what went to over and short."""
    return store.rows(
        "select right(e.fact, 1)::int, l.amount::int from entry e join entry_line l"
        " on l.entry = e.id where e.fact_type = 'TillCounted'"
        " and l.account like 'cash-over-short/%%' order by 1"
    )


def test_told_in_pieces_and_whole_at_night_it_is_one_day(store: House) -> None:
    store.file("stores", poslog(OPEN, LOAN, HAT), "10h.xml")
    store.file("stores", poslog(SOCKS, WINDOWS), "11h.xml")
    assert store.balances()["till/store-nyc/cash"] == 20000 + 2160 - 1200
    # the close overtakes the last sale: 209.60 are expected, 230.20 are counted
    store.file("stores", poslog(CLOSE), "12h.xml")
    page = store.verb(*REPORT)
    assert "209.60" in page
    assert "20.60" in page
    assert "number 6 missing" in page
    store.flow()
    assert store.balances()["cash-over-short/store-nyc"] == -2060

    # the nightly file has all of it and the sale that nobody had told
    night = poslog(OPEN, LOAN, HAT, SOCKS, WINDOWS, LATE, CLOSE)
    store.file("stores", night, "night.xml")
    store.look_at_tills()
    store.flow()
    books = {
        "till/store-nyc/cash": 23020,
        "safe/store-nyc": -20000,
        "till-expense/unassigned": 1200,
        "clearing/card": 1080,
        "sales/unassigned": -5000,
        "sales-tax/us-ny": -400,
        "cash-over-short/store-nyc": 100,
    }
    assert store.balances() == books
    assert booked(store) == [(1, -2060), (2, 2160)]
    assert store.stock("P1", "store-nyc") == (3, 0)
    assert store.stock("P2", "store-nyc") == (4, 0)

    # the same night again, and the report as often as one likes: nothing more
    store.file("stores", night, "night again.xml")
    page = store.verb(*REPORT)
    assert "-1.00" in page
    assert "missing" not in page
    assert "told to the books" not in page
    store.look_at_tills()
    store.flow()
    assert store.balances() == books
    assert booked(store) == [(1, -2060), (2, 2160)]
    assert not store.drain().moving
    assert store.erp_balances() == books
    assert set(store.erp.store.counts()) == {"journal"}
    assert store.cases() == []
    assert store.lies() == []


def test_what_happens_after_the_count_is_not_in_it(store: House) -> None:
    bank = cash(8, "TillPickup", "230.20")
    store.file("stores", poslog(OPEN, LOAN, HAT, SOCKS, WINDOWS, LATE, CLOSE, bank), "night.xml")
    store.look_at_tills()
    store.flow()
    assert booked(store) == [(1, 100)]
    assert "till/store-nyc/cash" not in store.balances()
    assert store.lies(quiesced=False) == []
