"""Batches of the flow queue for a product before they queue for its rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import Connection, errors

from tests.posting.money_facts import NOW
from tests.posting.test_stock_book import reserve
from tillbridge.atoms.ids import lane_of
from tillbridge.durable.rooms import Record
from tillbridge.durable.session import connect
from tillbridge.posting.stock.levels import TURNS_MOST, Bucket, Levels
from tillbridge.posting.stock.room import StockBook


@pytest.fixture
def other(database_url: str) -> Iterator[Connection]:
    """A second batch, which does not wait for long."""
    with connect(database_url) as connection:
        connection.execute("set lock_timeout = 100")
        connection.commit()
        yield connection


def open_batch(connection: Connection) -> None:
    """A batch that reserves p and has not committed yet."""
    body = reserve("order/web/1", 1, p=1000)
    record = Record(body.key, type(body).__name__, body, lane_of(body.key))
    StockBook().open(connection, NOW).take([record])


def test_a_batch_waits_for_another_of_its_product_before_it_asks_for_rows(
    connection: Connection, other: Connection
) -> None:
    open_batch(connection)
    Levels(other).take_turn(["q"])
    with pytest.raises(errors.LockNotAvailable):
        Levels(other).take_turn(["p", "q"])
    other.rollback()
    connection.commit()
    Levels(other).take_turn(["p", "q"])


def test_a_batch_of_many_products_and_one_that_holds_rows_wait_for_rows_only(
    connection: Connection, other: Connection
) -> None:
    open_batch(connection)
    Levels(other).take_turn(["p", *(f"q{number}" for number in range(TURNS_MOST))])
    levels = Levels(other)
    other.execute("insert into stock (location, product, condition) values ('wh', 'z', 'sellable')")
    levels.lock([Bucket("wh", "z")])
    levels.take_turn(["p"])
