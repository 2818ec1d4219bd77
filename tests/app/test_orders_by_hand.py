"""What a person tells of an order's goods is refused in words before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order
from tillbridge.app.orders_by_hand import pick_failed, source
from tillbridge.app.stock_by_hand import Hand
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.stock import StockLine

KEY = "order/web/4711"
HAND = Hand(
    "pat", datetime(2026, 3, 5, tzinfo=UTC), "77", "us", frozenset({"wh-east", "store-nyc"})
)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        found.web("orders/create", paid_order(4711, [line(1)], "10.00"))
        yield found


@pytest.mark.parametrize(
    ("words", "key", "place", "reason", "lines"),
    [
        ("is no reason: no_pick, rejected", KEY, "wh-east", "lost", ()),
        ("no location 'wh-west'", KEY, "wh-west", "no_pick", ()),
        ("is no order that is known", "order/web/1", "wh-east", "no_pick", ()),
        ("has no line '9'", KEY, "wh-east", "no_pick", (StockLine("9", "", 0),)),
        ("more than nothing", KEY, "wh-east", "no_pick", (StockLine("1", "", -1),)),
        ("no more than that", KEY, "wh-east", "no_pick", (StockLine("1", "", 99_000),)),
        ("nothing of the order stands at store-nyc", KEY, "store-nyc", "rejected", ()),
    ],
)
def test_what_cannot_be_is_refused(
    shop: House, words: str, key: str, place: str, reason: str, lines: tuple[StockLine, ...]
) -> None:
    with pytest.raises(Refused, match=words):
        pick_failed(shop.connection, key, place, reason, lines, HAND)
    assert shop.rows("select * from record where type = 'PickFailed'") == []


def test_what_is_told_stands_in_the_log_and_the_audit(shop: House) -> None:
    fact = pick_failed(shop.connection, KEY, "wh-east", "rejected", (), HAND)
    source(shop.connection, KEY, HAND)
    assert (fact.id, fact.failure) == (f"{KEY}/pick/hub/77", "hub/77")
    told = "select type from record where type in ('PickFailed', 'SourcingAsked') order by id"
    assert shop.rows(told) == [("PickFailed",), ("SourcingAsked",)]
    done = "select action, actor, subject from audit where action like 'orders.%' order by id"
    assert shop.rows(done) == [("orders.pick_failed", "pat", KEY), ("orders.source", "pat", KEY)]
