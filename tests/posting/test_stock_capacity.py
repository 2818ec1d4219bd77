"""A place works on so many orders at once; the next one goes elsewhere if it can."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from tests.posting import stock_facts
from tests.posting.test_stock_book import move, reserve
from tests.posting.test_stock_shortage import cart, standing
from tillbridge.canonical.registry import Body
from tillbridge.posting.stock.room import StockBook

BOOK = StockBook(capacity={"wh": 2, "a": 1})
PLACES = ("wh", "a")


def take(connection: Connection[Any], *facts: Body) -> None:
    stock_facts.take(connection, facts, book=BOOK)


def where(connection: Connection[Any]) -> list[tuple[str, str]]:
    return [(row[0], row[3]) for row in standing(connection)]


def test_orders_go_elsewhere_once_a_place_has_its_hands_full(connection: Connection[Any]) -> None:
    take(connection, move("in", 9), move("in2", 9, place="a"))
    take(connection, *(reserve(f"o{n}", 1, PLACES, p=1) for n in range(3)))
    assert where(connection) == [("o0", "wh"), ("o1", "wh"), ("o2", "a")]


def test_with_every_hand_full_an_order_is_not_refused(connection: Connection[Any]) -> None:
    take(connection, move("in", 9), move("in2", 9, place="a"))
    for n in range(4):
        take(connection, reserve(f"o{n}", 1, PLACES, p=1))
    assert where(connection)[-1] == ("o3", "wh")


def test_an_order_that_left_makes_room_and_carts_take_none(connection: Connection[Any]) -> None:
    take(connection, move("in", 9), move("in2", 9, place="a"), cart("hold/c", 1))
    take(connection, reserve("o1", 1, PLACES, p=1), reserve("o2", 1, PLACES, p=1))
    take(connection, reserve("o1", 2, PLACES), reserve("o3", 1, PLACES, p=1))
    assert where(connection) == [("hold/c", "wh"), ("o2", "wh"), ("o3", "wh")]
