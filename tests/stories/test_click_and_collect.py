"""Bought in the app, to be fetched in a store that has not all of it: late, swapped, in part."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.stories.click_and_collect import bag, furnish, names, ordered, rows, status
from tests.stories.shop import House, house
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.app.replay.whole_log import replay_log
from tillbridge.app.worker import chores

STORE = "store-nyc"
KEY = "order/app/C-1"


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=furnish) as found:
        names(found)
        yield found


def days_later(shop: House, day: int) -> str:
    """The worker's schedule looks at what lies ready."""
    told = chores(shop.hub)["pickups"](shop.connection, datetime(2026, 3, day, tzinfo=UTC))
    shop.connection.commit()
    shop.flow()
    return told


def held(shop: House) -> list[tuple[str, str, int]]:
    return shop.rows(
        "select line, product, quantity / 1000 from reservation where key = %s order by 1, 2", KEY
    )


def invoiced(shop: House, kind: str) -> list[list[tuple[str, int, int]]]:
    """Product, pieces and net of each line, document by document, as they went to the ERP."""
    found = shop.rows(
        "select r.body from record r where r.key = %s and r.type = 'SubmitDocument' order by id",
        KEY,
    )
    bodies = [msgspec.json.decode(row[0]) for row in found]
    return [
        [(one["product"], one["quantity"] // 1000, one["net"]) for one in body[kind]["lines"]]
        for body in bodies
        if body["kind"] == kind
    ]


def the_van_comes_late(shop: House) -> None:
    """The store had sold what was promised."""
    sold = receipt(1, [goods("A1", "80.00", "0", pieces="4"), tender("80.00")], "80.00", "0")
    shop.file("stores", poslog(sold), "late.xml")
    assert (status(shop, "C-1"), shop.cases()) == ("short", ["stock_short"])
    rows(shop, "goods", {"note": "R1", "at": "2026-03-03T08:00:00-05:00", "sku": "P1",
                         "store": STORE, "qty": "3"})  # fmt: skip
    assert not shop.drain().moving
    assert (status(shop, "C-1"), shop.cases()) == ("paid", [])
    assert shop.stock("P1", STORE) == (4, 2)


def test_late_stock_a_missing_piece_a_substitute_and_a_bag_nobody_fetched(shop: House) -> None:
    ordered(shop, "C-1", [("1", "P1", 2, "40.00"), ("2", "P2", 1, "30.00")])
    assert held(shop) == [("1", "P1", 2), ("2", "P2", 1)]

    the_van_comes_late(shop)

    # one of the two is not on the shelf; the buyer takes something else for it
    rows(shop, "picks", {"no": "N1", "order": "C-1", "store": STORE, "line": "1", "missed": "1",
                         "at": "2026-03-03T09:00:00-05:00"})  # fmt: skip
    assert (status(shop, "C-1"), shop.cases()) == ("short", ["stock_short"])
    swap = {"no": "S1", "order": "C-1", "store": STORE, "line": "1", "instead": "P2"}
    rows(
        shop, "swaps", {**swap, "pieces": "1", "price": "18.00", "at": "2026-03-03T09:10:00-05:00"}
    )
    assert held(shop) == [("1", "P1", 1), ("1", "P2", 1), ("2", "P2", 1)]
    assert shop.cases() == ["substitution_price"]  # 20.00 was paid for it: 2.00 are his
    assert (shop.stock("P1", STORE), shop.stock("P2", STORE)) == ((3, 1), (5, 2))

    # he fetches the first bag; for the second he never comes
    first, second = [("1", "1", ""), ("1", "1", "P2")], [("2", "1", "")]
    bag(shop, "B1", "C-1", "ready", "2026-03-03T10:00:00-05:00", *first)
    assert status(shop, "C-1") == "picking"
    bag(shop, "B2", "C-1", "ready", "2026-03-03T11:00:00-05:00", *second)
    assert status(shop, "C-1") == "ready"
    bag(shop, "B1", "C-1", "collected", "2026-03-03T17:00:00-05:00")
    assert status(shop, "C-1") == "part-shipped"
    assert invoiced(shop, "invoice") == [[("P1", 1, 2000), ("P2", 1, 2000)]]
    assert (shop.stock("P1", STORE), shop.stock("P2", STORE)) == ((2, 0), (4, 1))
    assert days_later(shop, 6) == "0 pick-ups expired"
    assert days_later(shop, 7) == "1 pick-ups expired"
    assert days_later(shop, 8) == "0 pick-ups expired"
    assert shop.stock("P2", STORE) == (4, 0)
    assert sorted(shop.cases()) == ["pickup_expired", "substitution_price"]
    (words, amount) = shop.rows(
        "select words, amount from exception_case where reason = 'pickup_expired'"
    )[0]
    assert "30.00 USD is to be refunded where it was paid, at web" in words
    assert amount == 3000

    # the app gives back both: the line nobody fetched, and what the swap costs less
    ordered(shop, "C-1", [("1", "P1", 2, "38.00")], changed="2026-03-08T09:00:00-05:00")
    assert (status(shop, "C-1"), shop.cases()) == ("collected", [])
    assert shop.balances() == {
        "clearing/card": 3800,
        "till/store-nyc/cash": 8000,
        "sales/unassigned": -3800 - 8000,
    }
    assert not shop.drain().moving
    totals = {op: (state, total) for op, state, total in shop.rows(
        "select op, state, total from document where key = %s", KEY)}  # fmt: skip
    assert totals == {
        f"{KEY}/sales_order": ("accepted", 7000),
        f"{KEY}/sales_order_change/1": ("accepted", 3800),
        f"{KEY}/invoice/1": ("accepted", 4000),
        f"{KEY}/credit_note/1": ("accepted", 200),
    }
    assert shop.lies() == []
    shop.connection.rollback()
    assert replay_log(shop.hub).same


def test_a_store_may_not_swap_where_the_terms_say_never(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url, furnish=lambda at: furnish(at, "")) as shop:
        names(shop)
        ordered(shop, "C-1", [("1", "P1", 1, "20.00")])
        swap = {"no": "S1", "order": "C-1", "store": STORE, "line": "1", "instead": "P2"}
        told = {**swap, "price": "18.00", "at": "2026-03-03T09:10:00-05:00"}
        rows(shop, "swaps", {**told, "pieces": "1"})
        assert held(shop) == [("1", "P1", 1)]
        assert shop.cases() == ["substitution_refused"]
        rows(shop, "swaps", {**told, "pieces": "0", "at": "2026-03-03T09:20:00-05:00"})
        assert shop.cases() == []
        assert shop.lies(quiesced=False) == []
