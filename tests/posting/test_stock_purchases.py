"""Purchases: told by version, closed and received in any order, and never waited for twice."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from tests.posting.stock_facts import NOON, carried
from tests.posting.test_stock_book import level, lies, take
from tests.posting.test_stock_supply import ask, expected, promised
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.stock import StockLine, StockReceived
from tillbridge.canonical.supply import PurchaseClosed, PurchaseLine, PurchaseOrdered
from tillbridge.posting.stock.purchases import Purchase, due_of, lines_of

DUE = NOON + timedelta(days=3)


def bought(quantity: int, version: str = "1", **words: Any) -> PurchaseOrdered:
    full: dict[str, Any] = {
        **carried("supply/po", version),
        "supplier": "Acme",
        "location": "wh",
        "due_at": DUE,
        "lines": (PurchaseLine("p", quantity),) if quantity else (),
        **words,
    }
    return PurchaseOrdered(supply="po", version=version, **full)


def closed(version: str = "", reason: str = "cancelled") -> PurchaseClosed:
    told = carried("supply/po", f"closed/{version}")
    return PurchaseClosed(**told, supply="po", version=version, reason=reason)


def came(quantity: int, name: str = "r1", **words: Any) -> StockReceived:
    line = StockLine("1", "p", quantity, "wh", **words)
    return StockReceived(**carried(f"receipt/{name}", name), supply="po", lines=(line,))


def supply(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    """Expected, received, closed, by product and place."""
    rows = connection.execute(
        "select product, location, expected, received, closed from supply order by 1, 2"
    ).fetchall()
    connection.rollback()
    return rows


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_tellings_receipts_and_the_end_may_come_in_any_order(
    connection: Connection[Any], order: tuple[int, ...]
) -> None:
    told = (bought(9), bought(7, "2"), came(5), closed("2"))
    for n in order:
        take(connection, [told[n]])
        take(connection, [told[n]])
    assert supply(connection) == [("p", "wh", 7, 5, True)]
    assert level(connection) == (5, 0)
    assert lies(connection) == []


def test_a_newer_version_opens_what_was_closed_and_a_last_word_stands(
    connection: Connection[Any],
) -> None:
    take(connection, [bought(5), closed("1"), bought(8, "2")])
    assert supply(connection) == [("p", "wh", 8, 0, False)]
    take(connection, [closed(), bought(9, "3")])
    assert supply(connection) == [("p", "wh", 9, 0, True)]


def test_of_two_of_one_version_the_same_stands_in_both_orders(connection: Connection[Any]) -> None:
    take(connection, [bought(5), bought(6)])
    first = supply(connection)
    take(connection, [bought(6, "1"), bought(5, "1")])
    assert supply(connection) == first


def test_orders_lose_what_will_not_come(connection: Connection[Any]) -> None:
    take(connection, [bought(5), ask("x", 2), ask("y", 2, minutes=1)])
    assert promised(connection) == [("x", "po", 2), ("y", "po", 2)]
    take(connection, [bought(3, "2")])
    assert promised(connection) == [("x", "po", 2)]
    take(connection, [closed()])
    assert promised(connection) == []
    assert lies(connection) == []


def test_damaged_goods_came_and_serve_nobody(connection: Connection[Any]) -> None:
    take(connection, [bought(5), ask("x", 4)])
    take(connection, [came(5, condition="damaged")])
    assert supply(connection) == [("p", "wh", 5, 5, False)]
    assert promised(connection) == []
    rows = connection.execute("select condition, on_hand from stock order by 1").fetchall()
    assert rows == [("damaged", 5), ("sellable", 0)]


def test_a_line_has_a_day_of_its_own(connection: Connection[Any]) -> None:
    later = DUE + timedelta(days=9)
    lines = (PurchaseLine("p", 4), PurchaseLine("q", 2, due_at=later), PurchaseLine("q", 1))
    take(connection, [bought(0, lines=lines)])
    rows = connection.execute("select product, due_at, expected from supply order by 1").fetchall()
    assert rows == [("p", DUE, 4), ("q", DUE, 3)]
    body = bought(0, lines=lines)
    assert [due_of(body, line.line) for line in lines_of(body)] == [DUE, later, DUE]


def test_a_purchase_for_a_place_that_is_none_is_a_case(connection: Connection[Any]) -> None:
    (outcome,) = take(connection, [bought(5, location="")])
    assert isinstance(outcome.decision, NeedsDecision)
    assert outcome.decision.reason == "location_unknown"
    assert supply(connection) == []


def test_a_supply_nobody_bought_is_told_as_ever(connection: Connection[Any]) -> None:
    take(connection, [expected(5), closed()])
    assert supply(connection) == [("p", "wh", 5, 0, True)]
    assert lies(connection) == []


@given(
    version=st.text("123", max_size=2),
    ended=st.none() | st.text("123", max_size=2),
    told=st.booleans(),
)
def test_it_is_over_when_told_or_ended_since(version: str, ended: str | None, told: bool) -> None:
    one = Purchase("po", version, ended=ended, closed=told)
    assert one.over == (told or ended == "" or (ended is not None and version <= ended))
