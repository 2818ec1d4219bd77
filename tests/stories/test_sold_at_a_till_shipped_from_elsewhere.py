"""Endless aisle: the socks go with the buyer, the boots are paid at the till and sent from the
warehouse. The boots' money is a deposit until they ship; figures by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tests.stories.till_files import goods, poslog, post_void, receipt, tender
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.shipments import GoodsShipped, ShippedLine
from tillbridge.durable import log
from tillbridge.durable.rooms import Record

ORDER = "order/stores/12/4/2026-03-02/1"
SOCKS = goods("A2", "10.00", "0.80")
GOES_TO = (
    "<Delivery><Address><PostalCode>12207</PostalCode><Territory>NY</Territory>"
    "<Country>US</Country></Address></Delivery></SaleForDelivery>"
)
BOOTS = goods("A1", "90.00", "7.20", element="SaleForDelivery", pieces="2").replace(
    "</SaleForDelivery>", GOES_TO
)
SALE = receipt(1, [SOCKS, BOOTS, tender("108.00")], "108.00", "8.00")
LINK = (
    "<TransactionLink><RetailStoreID>12</RetailStoreID><WorkstationID>4</WorkstationID>"
    "<BusinessDayDate>2026-03-02</BusinessDayDate><SequenceNumber>1</SequenceNumber>"
    "<LineItemSequenceNumber>2</LineItemSequenceNumber></TransactionLink></ReturnForDelivery>"
)
ONE_BOOT = goods("A1", "45.00", "3.60", element="ReturnForDelivery").replace(
    "</ReturnForDelivery>", LINK
)
GIVEN_UP = receipt(5, [ONE_BOOT, tender("48.60", "CreditDebit", "Refund")], "-48.60", "-3.60")
DEPOSIT = {"till/store-nyc/cash": 10800, "sales/unassigned": -1000, "sales-tax/us-ny": -80}


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def shipped(store: House, pieces: int, parcel: str = "1") -> None:
    """The warehouse sends boots."""
    at = datetime(2026, 3, 3, 14, tzinfo=UTC)
    fact = GoodsShipped(
        key=ORDER,
        id=f"{ORDER}/shipment/{parcel}",
        source="wms",
        mapping="wms/1",
        occurred_at=at,
        business_date=date(2026, 3, 3),
        entities=Entities("us"),
        shipment=parcel,
        version=at.isoformat(),
        state="shipped",
        location="wh-east",
        lines=(ShippedLine("2", pieces * 1000),),
    )
    log.append_and_commit(
        store.connection, [Record(fact.key, "GoodsShipped", fact, lane_of(fact.key))]
    )
    store.flow()


def deposit(store: House) -> list[tuple[str, int]]:
    """What the books owe for orders, by order."""
    return store.rows(
        "select item, sum(amount)::int from entry_line where account = 'customer-deposits'"
        " group by item having sum(amount) <> 0 order by item"
    )


def test_the_socks_are_earned_at_once_and_the_boots_when_they_ship(store: House) -> None:
    store.file("stores", poslog(SALE), "day.xml")
    assert store.cases() == []
    # the socks left the store, the boots are held at the warehouse and did not leave the store
    assert store.stock("P2", "store-nyc") == (4, 0)
    assert store.stock("P1", "store-nyc") == (5, 0)
    assert store.stock("P1", "wh-east") == (20, 2)
    assert store.balances() == {**DEPOSIT, "customer-deposits": -9720}
    assert deposit(store) == [(ORDER, -9720)]
    assert store.rows("select number, status, total from order_state where key = %s", ORDER) == [
        ("12/4/2026-03-02/1", "paid", 9720)
    ]

    shipped(store, 1)
    assert deposit(store) == [(ORDER, -4860)]
    shipped(store, 1, "2")
    assert store.stock("P1", "wh-east") == (18, 0)
    books = {
        "till/store-nyc/cash": 10800,
        "sales/unassigned": -1000 - 9000,
        "sales-tax/us-ny": -80 - 720,
    }
    assert store.balances() == books
    assert deposit(store) == []
    assert not store.drain().moving
    assert store.erp.store.counts() == {"sales_order": 1, "invoice": 2, "journal": 1}
    # the till's money goes as a journal with the deposit in it, what was earned as invoices
    ledger = store.erp_balances()
    assert ledger["till/store-nyc/cash"] == 10800
    assert ledger["customer-deposits"] + ledger["receivable"] == 0
    assert store.lies() == []


def test_the_same_receipt_in_the_nightly_file_is_no_second_order(store: House) -> None:
    store.file("stores", poslog(SALE), "intraday.xml")
    store.file("stores", poslog(SALE, receipt(2, [SOCKS, tender("10.80")], "10.80", "0.80")))
    assert store.rows("select count(*) from order_state") == [(1,)]
    assert store.stock("P1", "wh-east") == (20, 2)
    assert deposit(store) == [(ORDER, -9720)]
    assert not store.drain().moving
    assert store.lies() == []


@pytest.mark.parametrize("order", [(SALE, "void"), ("void", SALE)], ids=["after", "before"])
def test_voiding_the_receipt_cancels_the_order(store: House, order: tuple[str, str]) -> None:
    for name in order:
        store.file("stores", poslog(post_void(3, 1) if name == "void" else name))
    assert store.cases() == []
    assert store.balances() == {}
    assert store.stock("P1", "wh-east") == (20, 0)
    assert store.stock("P2", "store-nyc") == (5, 0)
    assert store.rows("select status from order_state where key = %s", ORDER) == [("cancelled",)]
    shipped(store, 1)
    assert store.cases() == ["void_after_shipping"]
    assert not store.drain().moving


def test_one_boot_is_given_up_at_a_till_before_it_ships(store: House) -> None:
    store.file("stores", poslog(SALE, GIVEN_UP), "day.xml")
    assert store.cases() == []
    # nothing came back to a shelf; one boot less is held and owed; the card got the money
    assert store.stock("P1", "store-nyc") == (5, 0)
    assert store.stock("P1", "wh-east") == (20, 1)
    assert deposit(store) == [(ORDER, -4860)]
    assert store.balances()["clearing/card"] == -4860
    shipped(store, 1)
    assert deposit(store) == []
    assert store.stock("P1", "wh-east") == (19, 0)
    assert store.balances() == {
        "till/store-nyc/cash": 10800,
        "clearing/card": -4860,
        "sales/unassigned": -1000 - 4500,
        "sales-tax/us-ny": -80 - 360,
    }
    assert not store.drain().moving
    assert store.lies() == []


def test_giving_up_says_which_line_or_is_a_case(store: House) -> None:
    plain = goods("A1", "45.00", "3.60", element="ReturnForDelivery")
    unnamed = receipt(5, [plain, tender("48.60", "CreditDebit", "Refund")], "-48.60", "-3.60")
    store.file("stores", poslog(SALE, unnamed), "day.xml")
    assert store.cases() == ["link_missing"]
    assert deposit(store) == [(ORDER, -9720)]
    assert store.lies(quiesced=False) == []


def test_ordered_in_the_store_to_be_collected_there(store: House) -> None:
    later = goods("A1", "90.00", "7.20", element="SaleForPickup", pieces="2")
    store.file("stores", poslog(receipt(1, [later, tender("97.20")], "97.20", "7.20")), "day.xml")
    assert store.cases() == []
    assert store.stock("P1", "store-nyc") == (5, 2)
    assert store.stock("P1", "wh-east") == (20, 0)
    assert deposit(store) == [(ORDER, -9720)]
