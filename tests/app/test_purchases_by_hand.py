"""What people tell of purchases is refused in words before it is written; a number is one thing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tillbridge.app import purchases_by_hand, transfers_by_hand
from tillbridge.app.purchases_by_hand import Bought
from tillbridge.app.stock_by_hand import Hand
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.stock import StockLine
from tillbridge.canonical.supply import PurchaseLine
from tillbridge.durable.rooms import Connection

NOW = datetime(2026, 3, 3, tzinfo=UTC)
HAND = Hand("pat", NOW, "N-1", "us", frozenset({"wh-east", "store-nyc"}))


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


Begin = Callable[[Connection, int], Callable[[], None]]
"""Looks whether a number is free; what it gives writes."""


def _purchase(connection: Connection, pieces: int) -> Callable[[], None]:
    bought = Bought("Acme", "wh-east", NOW, (PurchaseLine("P1", pieces),))
    fact = purchases_by_hand.ordered(connection, bought, HAND)
    return lambda: purchases_by_hand.tell(connection, (fact,), HAND, "purchases.order")


def _transfer(connection: Connection, pieces: int) -> Callable[[], None]:
    lines = (StockLine("1", "P1", pieces),)
    wish = transfers_by_hand.Wish("wh-east", "store-nyc", lines)
    fact = transfers_by_hand.ordered(connection, wish, HAND)
    return lambda: transfers_by_hand.tell(connection, fact, HAND, "transfers.order")


@pytest.mark.parametrize("begin", [_purchase, _transfer])
def test_of_two_who_give_one_number_at_once_the_second_is_told(shop: House, begin: Begin) -> None:
    said: list[str] = []

    def second() -> None:
        with shop.hub.connect() as connection:
            try:
                begin(connection, 2000)()
            except Refused as problem:
                said.append(problem.words)

    write = begin(shop.connection, 1000)
    other = threading.Thread(target=second)
    other.start()
    other.join(0.5)
    assert other.is_alive()
    write()
    other.join(60)
    (words,) = said
    assert "N-1 is there already" in words


def test_a_number_that_is_known_is_told_anew_with_a_version(shop: House) -> None:
    _purchase(shop.connection, 3000)()
    shop.flow()
    newer = Bought("Acme", "wh-east", NOW, (PurchaseLine("P1", 9000),), version="9")
    fact = purchases_by_hand.ordered(shop.connection, newer, HAND)
    purchases_by_hand.tell(shop.connection, (fact,), HAND, "purchases.order")
    shop.flow()
    assert shop.rows("select expected, version from supply") == [(9000, "9")]
    gone = purchases_by_hand.closed(shop.connection, "N-1", "cancelled", HAND)
    purchases_by_hand.tell(shop.connection, (gone,), HAND, "purchases.close")
    shop.flow()
    with pytest.raises(Refused, match="is closed"):
        purchases_by_hand.closed(shop.connection, "N-1", "again", HAND)
    shop.connection.rollback()
    assert shop.lies() == []


def test_goods_of_no_purchase_and_at_no_place_are_refused(shop: House) -> None:
    line = StockLine("1", "P1", 1000, "wh-east")
    with pytest.raises(Refused, match="nothing is known of a purchase 'N-1'"):
        purchases_by_hand.received(shop.connection, "N-1", (line,), HAND)
    _purchase(shop.connection, 3000)()
    shop.flow()
    lost = StockLine("1", "P1", 1000, "moon")
    with pytest.raises(Refused, match="'moon' is no location"):
        purchases_by_hand.received(shop.connection, "N-1", (lost,), HAND)
    shop.connection.rollback()
