"""Supply that is late while orders wait for it is one case, which closes by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import Connection

from tests.posting.stock_facts import NOON
from tests.posting.test_stock_book import take
from tests.posting.test_stock_supply import ask, expected, received
from tillbridge.reconciliation.stock.supply import look_at_purchases

DUE = NOON + timedelta(days=3)


def _cases(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    rows = connection.execute("select key, state, words from exception_case").fetchall()
    connection.commit()
    return rows


def test_late_supply_is_a_case_until_it_comes(connection: Connection[Any]) -> None:
    take(connection, [expected(5), ask("x", 2), ask("y", 2)])
    look_at_purchases(connection, (), DUE - timedelta(seconds=1))
    assert _cases(connection) == []
    look_at_purchases(connection, (), DUE + timedelta(hours=1))
    look_at_purchases(connection, (), DUE + timedelta(hours=2))
    words = "supply po was due on 2026-03-05; 2 orders wait for it"
    assert _cases(connection) == [("supply/po", "open", words)]
    take(connection, [received(5)])
    look_at_purchases(connection, (), DUE + timedelta(hours=3))
    assert [state for _, state, _ in _cases(connection)] != ["open"]


def test_supply_nobody_waits_for_may_be_late(connection: Connection[Any]) -> None:
    take(connection, [expected(5)])
    look_at_purchases(connection, (), DUE + timedelta(hours=1))
    assert _cases(connection) == []


def test_another_date_closes_the_case(connection: Connection[Any]) -> None:
    take(connection, [expected(5), ask("x", 2)])
    look_at_purchases(connection, (), DUE + timedelta(hours=1))
    take(connection, [expected(5, "2", due_at=DUE + timedelta(days=9))])
    look_at_purchases(connection, (), DUE + timedelta(hours=2))
    assert [state for _, state, _ in _cases(connection)] != ["open"]
