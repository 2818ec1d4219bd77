"""A till was offline, sends what it has when the line is back, and then once more: the same sales
are booked once, and the same receipt under a new number is an exception, never a second sale.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tests.stories.till_files import goods, paper, poslog, receipt, tender

BOOKS = {"till/store-nyc/cash": 4320, "sales/unassigned": -4000, "sales-tax/us-ny": -320}


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def sale(number: int, printed: str) -> str:
    lines = [goods("A1", "20.00", "1.60"), tender("21.60")]
    return paper(receipt(number, lines, "21.60", "1.60"), printed)


FIRST, SECOND = sale(1, "R-1"), sale(2, "R-2")


def once(store: House) -> None:
    """Two sales in stock and books, and in the ERP's ledger."""
    assert store.stock("P1", "store-nyc") == (3, 0)
    assert store.balances() == BOOKS
    assert not store.drain().moving
    assert store.erp_balances() == BOOKS


def test_what_comes_again_after_the_line_was_cut_is_booked_once(store: House) -> None:
    store.file("stores", poslog(FIRST), "before the cut.xml")
    store.file("stores", poslog(FIRST, SECOND), "reconnected.xml")
    # other bytes, the same transactions: the till wrote its file anew
    store.file("stores", poslog(SECOND, FIRST).replace(b"><", b">\n<"), "and again.xml")
    assert store.cases() == []
    once(store)
    assert store.lies() == []


def test_the_same_receipt_under_a_new_number_is_an_exception(store: House) -> None:
    store.file("stores", poslog(FIRST, SECOND), "day.xml")
    store.file("stores", poslog(sale(7, "R-2")), "renumbered.xml")
    ((reason, owner, amount, words),) = store.rows(
        "select reason, owner, amount, words from exception_case where state = 'open'"
    )
    assert (reason, owner, amount) == ("receipt_twice", "stores", 2160)
    assert "sale/stores/12/4/2026-03-02/2" in words
    once(store)
    ((number,),) = store.rows("select id from exception_case where state = 'open'")
    store.verb("cases", "resolve", str(number), "--note", "told twice by the till")
    store.flow()
    assert store.cases() == []
    once(store)
    assert store.lies() == []


def test_even_when_both_come_in_one_file(store: House) -> None:
    store.file("stores", poslog(FIRST, SECOND, sale(7, "R-1"), sale(8, "R-2")), "day.xml")
    assert store.cases() == ["receipt_twice", "receipt_twice"]
    once(store)


def test_the_same_number_on_another_day_or_till_is_another_receipt(store: House) -> None:
    other = FIRST.replace("<WorkstationID>4<", "<WorkstationID>5<")
    store.file("stores", poslog(FIRST, other), "day.xml")
    assert store.cases() == []
    once(store)


def test_where_numbers_come_again_they_prove_nothing(tmp_path: Path, database_url: str) -> None:
    def furnish(folder: Path) -> None:
        settings = folder / "tillbridge.toml"
        text = settings.read_text()
        found = 'code = "stores"\n'
        assert text.count(found) == 1
        settings.write_text(text.replace(found, f"{found}receipts_repeat = true\n"))

    with house(tmp_path / "house", database_url, furnish=furnish) as store:
        store.file("stores", poslog(sale(1, "table 4"), sale(2, "table 4")), "day.xml")
        assert store.cases() == []
        once(store)
