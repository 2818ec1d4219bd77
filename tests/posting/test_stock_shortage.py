"""Goods that leave although they were promised: in the same transaction nobody is promised them."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import Connection

from tests.posting.stock_facts import NOON, carried, described
from tests.posting.test_stock_book import count, level, lies, move, reserve, take
from tillbridge.canonical.stock import (
    HoldReleased,
    ReserveStock,
    StockHeld,
    StockLine,
    StockReserved,
    StockShort,
)


def _count(product: str, place: str, quantity: int) -> Any:
    return move(f"in/{product}/{place}", quantity, product, place)


def ask(key: str, *lines: StockLine, places: tuple[str, ...] = ("wh", "a"), most: int = 2) -> Any:
    return ReserveStock(
        key=key,
        id=f"{key}/hold/1",
        version=1,
        lines=lines,
        locations=places,
        split_most=most,
        occurred_at=NOON,
    )


def cart(key: str, quantity: int, place: str = "wh", kind: str = "soft") -> StockHeld:
    return StockHeld(
        **carried(key, "held"),
        kind=kind,
        channel="web",
        lines=(StockLine("1", "p", quantity, place),),
        expires_at=NOON if kind == "soft" else None,
        locations=("wh", "a"),
    )


def standing(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    rows = connection.execute(
        "select key, line, product, location, quantity from reservation order by 1, 2, 3, 4"
    ).fetchall()
    connection.rollback()
    return rows


def test_a_late_sale_moves_the_newest_order_to_where_the_goods_are(
    connection: Connection[Any],
) -> None:
    take(connection, [_count("p", "wh", 2), _count("p", "a", 1)])
    take(connection, [reserve("o1", 1, ("wh", "a"), p=1)])
    take(connection, [reserve("o2", 1, ("wh", "a"), p=1)])
    (outcome,) = take(connection, [move("sale", -1)])
    (answer,) = outcome.emits
    assert isinstance(answer, StockReserved)
    assert (answer.key, answer.version, answer.turn, answer.location) == ("o2", 1, 1, "a")
    assert standing(connection) == [("o1", "p", "p", "wh", 1), ("o2", "p", "p", "a", 1)]
    assert outcome.notices == ()
    assert lies(connection) == []


def test_with_nothing_anywhere_the_order_is_told_that_it_is_short(
    connection: Connection[Any],
) -> None:
    take(connection, [_count("p", "wh", 3)])
    take(connection, [reserve("x", 1, p=3)])
    (outcome,) = take(connection, [move("sale", -5)])
    (answer,) = outcome.emits
    assert isinstance(answer, StockShort)
    said = (answer.product, answer.wanted, answer.free, answer.location, answer.turn)
    assert said == ("p", 3, 0, "wh", 1)
    assert level(connection) == (-2, 0)
    held = connection.execute("select ok, short, turn from hold").fetchall()
    assert held == [(False, "p", 1)]


def test_carts_lose_before_transfers_and_these_before_orders(connection: Connection[Any]) -> None:
    take(connection, [_count("p", "wh", 3)])
    take(connection, [cart("hold/t", 1, kind="transfer"), cart("hold/c", 1)])
    take(connection, [reserve("order", 1, p=1)])
    ends = [take(connection, [move(f"sale/{n}", -1)])[0].emits[0] for n in range(3)]
    assert [(type(end).__name__, end.key) for end in ends] == [
        ("HoldReleased", "hold/c"),
        ("HoldReleased", "hold/t"),
        ("StockShort", "order"),
    ]
    assert [end.reason for end in ends if isinstance(end, HoldReleased)] == ["short", "short"]
    assert standing(connection) == []


def test_a_transfer_moves_to_another_place_if_it_can(connection: Connection[Any]) -> None:
    take(connection, [_count("p", "wh", 1), _count("p", "a", 1)])
    take(connection, [cart("hold/t", 1, kind="transfer")])
    (outcome,) = take(connection, [move("sale", -1)])
    assert [type(one).__name__ for one in outcome.emits] == ["HoldMoved"]
    assert standing(connection) == [("hold/t", "1", "p", "a", 1)]


def test_only_as_many_orders_move_as_are_short(connection: Connection[Any]) -> None:
    take(connection, [_count("p", "wh", 6), _count("p", "a", 9)])
    for n in range(3):
        take(connection, [reserve(f"o{n}", 1, ("wh", "a"), p=2)])
    (outcome,) = take(connection, [move("sale", -3)])
    assert [one.key for one in outcome.emits] == ["o2", "o1"]
    assert level(connection) == (3, 2)
    assert level(connection, place="a") == (9, 4)
    assert lies(connection) == []


def test_a_line_that_is_not_touched_stays_where_it_is(connection: Connection[Any]) -> None:
    take(connection, [_count("p", "wh", 1), _count("q", "wh", 1), _count("p", "a", 1)])
    take(connection, [_count("q", "a", 1)])
    lines = (StockLine("1", "p", 1), StockLine("2", "q", 1))
    take(connection, [ask("x", *lines)])
    take(connection, [move("sale", -1)])
    assert standing(connection) == [("x", "1", "p", "a", 1), ("x", "2", "q", "wh", 1)]


def test_where_an_order_may_not_be_split_all_of_it_moves(connection: Connection[Any]) -> None:
    take(connection, [_count(p, place, 1) for p in "pq" for place in ("wh", "a")])
    take(connection, [ask("x", StockLine("1", "p", 1), StockLine("2", "q", 1), most=1)])
    take(connection, [move("sale", -1)])
    assert {row[3] for row in standing(connection)} == {"a"}
    assert lies(connection) == []


def test_the_products_of_a_bundle_move_together(connection: Connection[Any]) -> None:
    take(connection, [described("set", components={"p": 1000, "q": 1000})])
    take(connection, [_count(p, place, 1000) for p in "pq" for place in ("wh", "a")])
    take(connection, [ask("x", StockLine("1", "set", 1000))])
    (outcome,) = take(connection, [move("sale", -1000)])
    assert [type(one).__name__ for one in outcome.emits] == ["StockReserved"]
    assert standing(connection) == [("x", "1", "p", "a", 1000), ("x", "1", "q", "a", 1000)]


def test_a_shortage_told_again_changes_nothing(connection: Connection[Any]) -> None:
    take(connection, [_count("p", "wh", 1), _count("p", "a", 1)])
    take(connection, [reserve("x", 1, ("wh", "a"), p=1)])
    take(connection, [move("sale", -1)])
    (again,) = take(connection, [move("sale", -1)])
    assert again.emits == ()
    (released,) = take(connection, [reserve("x", 2, ("wh", "a"))])
    assert level(connection, place="a") == (1, 0)
    assert [type(one).__name__ for one in released.emits] == ["StockReserved"]


def test_a_count_below_what_is_promised_is_a_shortage_too(connection: Connection[Any]) -> None:
    take(connection, [count(5)])
    take(connection, [reserve("x", 1, p=5)])
    (outcome,) = take(connection, [count(4, 5)])
    assert [type(one).__name__ for one in outcome.emits] == ["StockShort"]
    assert level(connection) == (4, 0)


@pytest.mark.parametrize("fused", [True, False])
def test_a_shortage_within_one_batch_ends_as_in_several(
    connection: Connection[Any], fused: bool
) -> None:
    facts = [
        _count("p", "wh", 2),
        _count("p", "a", 1),
        reserve("o1", 1, ("wh", "a"), p=1),
        reserve("o2", 1, ("wh", "a"), p=1),
        move("s1", -1),
        reserve("o3", 1, ("wh", "a"), p=1),
        move("s2", -1),
    ]
    if fused:
        take(connection, facts)
    else:
        for fact in facts:
            take(connection, [fact])
    assert standing(connection) == [("o2", "p", "p", "a", 1)]
    assert lies(connection) == []
