"""A paid sale never reached the hub, and nobody has to notice it by hand: the till's own numbers
say what is missing, the close shows it as money too much, and both are mended when it comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tests.stories.till_files import close, goods, poslog, receipt, tender
from tillbridge.atoms.clock import FixedClock

REPORT = ("tills", "close-report", "store-nyc", "2026-03-02")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 3, 1, tzinfo=UTC))


@pytest.fixture
def store(tmp_path: Path, database_url: str, clock: FixedClock) -> Iterator[House]:
    with house(tmp_path / "house", database_url, clock=clock) as found:
        yield found


def sale(number: int) -> str:
    return receipt(number, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")


def test_the_gap_is_told_and_closed_when_the_sale_comes(store: House, clock: FixedClock) -> None:
    # till 4 jumps from 18 to 21
    store.file("stores", poslog(sale(17), sale(18), sale(21), close(22, Cash="108.00")), "day.xml")
    store.look_at_tills()
    store.flow()
    page = store.verb(*REPORT)
    assert "number 19-20 missing" in page
    assert "43.20" in page  # counted, and nobody knows what for
    assert store.balances()["cash-over-short/store-nyc"] == -4320
    assert store.cases() == []  # it may be on its way

    clock.sleep(86400 + 1)
    store.look_at_tills()
    ((reason, owner, words),) = store.rows(
        "select reason, owner, words from exception_case where state = 'open'"
    )
    assert (reason, owner) == ("till_sequence_gap", "stores")
    assert words.endswith("2 transaction(s) never came, number 19-20")
    # nothing waits for them: the day is in the books, and in the ERP
    assert not store.drain().moving
    assert store.erp_balances() == store.balances()

    store.file("stores", poslog(sale(20)), "found.xml")
    store.look_at_tills()
    store.flow()
    assert "number 19 missing" in store.verb(*REPORT)
    assert store.balances()["cash-over-short/store-nyc"] == -2160
    store.file("stores", poslog(sale(19), sale(20)), "the rest.xml")
    store.look_at_tills()
    store.flow()
    assert store.cases() == []
    assert store.balances() == {
        "till/store-nyc/cash": 5 * 2160,
        "sales/unassigned": -5 * 2000,
        "sales-tax/us-ny": -5 * 160,
    }
    assert store.stock("P1", "store-nyc") == (0, 0)
    assert "missing" not in store.verb(*REPORT)
    assert not store.drain().moving
    assert store.erp_balances() == store.balances()
    assert store.lies() == []
