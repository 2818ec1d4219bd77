"""Soft holds past their time end in sets, once, and what they held is free again."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import msgspec
from psycopg import Connection

from tests.posting.test_stock_book import count, level, lies, move, take
from tests.posting.test_stock_desk import NOW, SOON, ask, facts, hold
from tillbridge.canonical.stock import StockLine
from tillbridge.durable.session import connect
from tillbridge.posting.stock.desk import Ask
from tillbridge.posting.stock.expiry import SWEPT_MOST, end_due, sweep


def test_what_is_due_ends_and_the_rest_stays(connection: Connection) -> None:
    take(connection, [count(9), move("1", 9, "q")])
    two = (StockLine("1", "p", 2), StockLine("2", "q", 3))
    asks = [
        msgspec.structs.replace(hold("a"), lines=two),
        hold("b"),
        msgspec.structs.replace(hold("c"), kind="firm", expires_at=None),
        msgspec.structs.replace(hold("d"), expires_at=SOON + timedelta(seconds=1)),
    ]
    assert all(told.ok for told in ask(connection, *asks))
    assert sweep(connection, SOON - timedelta(seconds=1)) == 0
    assert sweep(connection, SOON) == 2
    assert sweep(connection, SOON) == 0
    assert (level(connection), level(connection, "q")) == ((9, 2), (9, 0))
    assert facts(connection)[4:] == ["a HoldReleased", "b HoldReleased"]
    assert lies(connection) == []


def test_more_than_one_transaction_may_end_are_ended_in_several(connection: Connection) -> None:
    take(connection, [count(2 * SWEPT_MOST)])
    ask(connection, *(hold(f"cart/{number}") for number in range(SWEPT_MOST + 3)))
    assert sweep(connection, SOON) == SWEPT_MOST + 3
    assert level(connection) == (2 * SWEPT_MOST, 0)


def test_a_hold_confirmed_while_the_sweeper_waits_is_not_ended(
    connection: Connection, database_url: str
) -> None:
    take(connection, [count(5)])
    ask(connection, hold("a", 3))
    ended: list[int] = []
    connection.execute("select 1 from stock for no key update")

    def work() -> None:
        with connect(database_url) as mine:
            ended.append(end_due(mine, SOON))
            mine.commit()

    sweeper = threading.Thread(target=work)
    sweeper.start()
    until_somebody_waits(connection)
    ask(connection, Ask(key="a", verb="confirm"), now=NOW)
    sweeper.join()
    assert level(connection) == (5, 3)
    assert facts(connection) == ["a StockHeld", "a HoldConfirmed"]


def until_somebody_waits(connection: Connection) -> None:
    """Until another session of this database waits for a lock; fails after ten seconds."""
    query = """
        select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'
    """
    end = time.monotonic() + 10
    while connection.execute(query).fetchone() == (0,):
        assert time.monotonic() < end
        connection.execute("select pg_stat_clear_snapshot()")
