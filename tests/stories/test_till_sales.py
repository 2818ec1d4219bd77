"""A day at the till from its POSLog to one journal in the ERP, figures by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tests.stories.till_files import goods, poslog, post_void, receipt, tender

SALE = receipt(1, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")
OTHER = receipt(2, [goods("A2", "10.00", "0.80"), tender("10.80", "CreditDebit")], "10.80", "0.80")
VOID = post_void(3, 2)
BACK = receipt(
    4,
    [goods("A1", "20.00", "1.60", element="Return"), tender("21.60", code="Refund")],
    "-21.60",
    "-1.60",
)
# FINANCE example 3: goods of 50 + 10 tax come back, goods of 70 + 14 go, 24 is paid
EXCHANGE = receipt(
    5,
    [
        goods("A1", "50.00", "10.00", element="Return"),
        goods("A2", "70.00", "14.00"),
        tender("24.00", "CreditDebit"),
    ],
    "24.00",
    "4.00",
)


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def test_a_day_with_a_void_and_a_return_goes_to_the_erp_as_one_journal(store: House) -> None:
    store.file("stores", poslog(SALE, OTHER, VOID, BACK), "day.xml")
    assert store.cases() == []
    assert store.stock("P1", "store-nyc") == (5, 0)
    assert store.stock("P2", "store-nyc") == (5, 0)
    assert store.balances() == {}
    assert store.rows("select count(*) from entry") == [(4,)]
    assert not store.drain().moving
    # sales and returns cancel: an empty journal is not sent, yet every entry is accounted for
    assert store.erp.store.counts() == {}
    assert store.lies() == []


def test_a_sale_and_an_exchange_give_the_figures_of_the_book(store: House) -> None:
    store.file("stores", poslog(SALE, EXCHANGE), "day.xml")
    books = {
        "till/store-nyc/cash": 2160,
        "clearing/card": 2400,
        "sales/unassigned": -2000 + 5000 - 7000,
        "sales-tax/us-ny": -160 + 1000 - 1400,
    }
    assert store.balances() == books
    assert store.stock("P1", "store-nyc") == (5, 0)
    assert store.stock("P2", "store-nyc") == (4, 0)
    assert not store.drain().moving
    assert store.erp.store.counts() == {"journal": 1}
    assert store.erp_balances() == books
    assert store.lies() == []


def test_a_late_receipt_goes_into_a_further_journal_of_its_day(store: House) -> None:
    store.file("stores", poslog(SALE), "morning.xml")
    assert not store.drain().moving
    store.file("stores", poslog(SALE, EXCHANGE), "whole day.xml")
    assert not store.drain().moving
    operations = list(store.documents())
    assert operations == [
        "journal/us/stores/store-nyc/2026-03-02/1",
        "journal/us/stores/store-nyc/2026-03-02/2",
    ]
    assert store.erp_balances() == store.balances()
    assert store.lies() == []


def test_a_void_that_comes_before_its_sale_takes_it_back_all_the_same(store: House) -> None:
    store.file("stores", poslog(VOID), "void.xml")
    assert store.balances() == {}
    store.file("stores", poslog(OTHER), "sale.xml")
    assert store.balances() == {}
    assert store.stock("P2", "store-nyc") == (5, 0)
    assert store.rows("select count(*) from entry") == [(2,)]
    assert not store.drain().moving
    assert store.lies() == []


def test_a_receipt_told_with_another_amount_is_a_case_and_the_first_stands(store: House) -> None:
    store.file("stores", poslog(SALE), "first.xml")
    changed = receipt(1, [goods("A1", "22.00", "1.60"), tender("23.60")], "23.60", "1.60")
    store.file("stores", poslog(changed), "second.xml")
    assert store.cases() != []
    assert store.balances()["sales/unassigned"] == -2000
    assert store.lies(quiesced=False) == []


def test_nothing_of_a_stores_journal_is_owed_by_the_web_shop(store: House) -> None:
    store.file("stores", poslog(SALE), "day.xml")
    kinds = dict(store.rows("select gl, count(*) from entry group by gl"))
    assert kinds == {"journals": 1}
