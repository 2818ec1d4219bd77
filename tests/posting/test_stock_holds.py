"""Holds under the locks of their rows: looked up, locked, and looked at again."""

from __future__ import annotations

import threading
from datetime import timedelta

import msgspec
import pytest
from psycopg import Connection

from tests.posting.test_stock_book import NOON, count, level, lies, move, reserve, take
from tests.posting.test_stock_desk import NOW, ask, hold
from tests.posting.test_stock_expiry import until_somebody_waits
from tillbridge.canonical.stock import StockLine
from tillbridge.durable.session import connect
from tillbridge.posting.stock.desk import Ask, Told
from tillbridge.posting.stock.hold import EPOCH, named_after
from tillbridge.posting.stock.holds import Holds
from tillbridge.posting.stock.levels import Bucket, Levels

WH, STORE = Bucket("wh", "p"), Bucket("store", "p")


def opened(connection: Connection) -> tuple[Levels, Holds]:
    levels = Levels(connection)
    return levels, Holds(connection, levels)


def test_a_hold_that_moved_while_its_rows_were_waited_for_is_seen_where_it_stands(
    connection: Connection, database_url: str
) -> None:
    take(connection, [count(5), move("1", 5, place="store")])
    ask(connection, hold("a", 3))
    told: list[Told] = []
    levels, holds = opened(connection)
    holds.lock(["a"], [WH, STORE])

    def work() -> None:
        with connect(database_url) as mine:
            told.extend(ask(mine, Ask(key="a", verb="release")))

    other = threading.Thread(target=work)
    other.start()
    until_somebody_waits(connection)
    holds.change("a", (StockLine("1", "p", 3, "store"),))
    levels.save(NOW)
    holds.save()
    connection.commit()
    other.join()
    assert told[0].ok
    assert (level(connection), level(connection, place="store")) == ((5, 0), (5, 0))
    assert lies(connection) == []


def test_who_came_last_is_told_first_and_all_his_rows_are_locked(connection: Connection) -> None:
    take(connection, [count(9), move("1", 9, "q"), move("2", 9, place="store")])
    later = {"occurred_at": NOON + timedelta(minutes=5)}
    take(connection, [msgspec.structs.replace(reserve("young", 1, p=1, q=2), **later)])
    take(connection, [reserve("old", 1, p=2), reserve("elsewhere", 1, ("store",), p=1)])
    levels, holds = opened(connection)
    levels.lock([WH])
    found = holds.standing_at([WH])
    assert [one.key for one in found] == ["young", "old"]
    assert Bucket("wh", "q") in levels
    assert holds["young"].locations == ("wh",)
    holds.cut("young", "short", "p")
    assert [one.key for one in holds.standing_at([WH])] == ["old"]
    levels.save(NOW)
    holds.save()
    connection.commit()
    rows = connection.execute("select ok, short, version from hold where key = 'young'").fetchall()
    assert rows == [(False, "p", 1)]
    assert (level(connection), level(connection, "q")) == ((9, 2), (9, 0))
    assert lies(connection) == []


def test_a_hold_keeps_the_instant_of_its_first_request(connection: Connection) -> None:
    take(connection, [count(9)])
    take(connection, [reserve("a", 1, p=1)])
    later = {"occurred_at": NOON + timedelta(minutes=5)}
    take(connection, [msgspec.structs.replace(reserve("a", 2, p=2), **later)])
    _, holds = opened(connection)
    holds.lock(["a", "nobody"])
    assert holds["a"].placed_at == NOON
    assert (holds["nobody"].version, holds["nobody"].placed_at) == (0, EPOCH)
    with pytest.raises(KeyError):
        holds["unlocked"]


def test_pieces_of_a_cart_go_to_the_lines_of_the_order_that_want_them() -> None:
    cart = (StockLine("x", "p", 5, "wh"), StockLine("y", "q", 1, "store"))
    lines = (StockLine("1", "p", 2), StockLine("2", "p", 2), StockLine("3", "r", 1))
    assert named_after(lines, cart) == (
        StockLine("1", "p", 2, "wh"),
        StockLine("2", "p", 2, "wh"),
        StockLine("", "p", 1, "wh"),
        StockLine("", "q", 1, "store"),
    )
