"""Web orders whose goods are elsewhere than was thought: sourced anew, split, backordered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house, line, paid_order, shipment
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.app.replay.whole_log import replay_log
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.stock import PickFailed, StockLine, StockReceived, SupplyExpected
from tillbridge.durable import log
from tillbridge.durable.rooms import Record
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.waiting import ask_again

KEY = "order/web/4711"
DAY = datetime(2026, 3, 3, tzinfo=UTC)


def _furnish(folder: Path) -> None:
    file = folder / "tillbridge.toml"
    text = file.read_text(encoding="utf-8")
    terms = 'fulfil_from = ["store-nyc", "warehouse"]\nsplit_most = 2\nbackorder = true'
    assert 'fulfil_from = ["wh-east"]' in text
    file.write_text(text.replace('fulfil_from = ["wh-east"]', terms), encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=_furnish) as found:
        yield found


def ordered(shop: House, pieces: int, number: int = 4711) -> None:
    lines = [line(1, quantity=pieces, price="10.00")]
    shop.web("orders/create", paid_order(number, lines, f"{pieces * 10}.00"))


def tell(shop: House, kind: type[Fact], key: str, name: str, **words: Any) -> None:
    """A fact from outside, for which the shop of this story has no message."""
    fact = kind(
        key=key,
        id=f"{key}/{name}",
        source="feed",
        mapping="feed/1",
        occurred_at=DAY,
        business_date=DAY.date(),
        entities=Entities(selling="us"),
        **words,
    )
    record = Record(key, kind.__name__, fact, lane_of(key))
    log.append_and_commit(shop.connection, [record])
    shop.flow()


def told_alike(shop: House) -> bool:
    """Whether the log, replayed into an empty hub, gives what is there."""
    shop.connection.rollback()
    return replay_log(shop.hub).same


def standing(shop: House, number: int = 4711) -> list[tuple[str, int]]:
    return shop.rows(
        "select location, quantity / 1000 from reservation where key = %s order by location",
        f"order/web/{number}",
    )


def test_a_till_that_sells_what_an_order_holds_sends_the_order_elsewhere(shop: House) -> None:
    ordered(shop, 3)
    assert standing(shop) == [("store-nyc", 3)]
    sale = receipt(1, [goods("A1", "60.00", "0", pieces="3"), tender("60.00")], "60.00", "0")
    shop.file("stores", poslog(sale), "late.xml")
    assert shop.stock("P1", "store-nyc") == (2, 0)
    assert standing(shop) == [("wh-east", 3)]
    assert shop.cases() == []
    shop.web("fulfillments/create", shipment(1, 4711, {1: 3}))
    assert shop.stock("P1") == (17, 0)
    assert not shop.drain().moving
    assert shop.lies() == []


def test_an_order_that_no_place_can_serve_alone_is_split_over_two(shop: House) -> None:
    ordered(shop, 23)
    assert standing(shop) == [("store-nyc", 5), ("wh-east", 18)]
    assert not shop.drain().moving
    assert shop.lies() == []


def test_what_a_store_does_not_find_is_written_off_there_and_sourced_elsewhere(
    shop: House,
) -> None:
    ordered(shop, 2)
    tell(shop, PickFailed, KEY, "f1", failure="f1", location="store-nyc", reason="no_pick")
    assert standing(shop) == [("wh-east", 2)]
    assert shop.stock("P1", "store-nyc") == (3, 0)
    tell(shop, PickFailed, KEY, "f2", failure="f2", location="wh-east", reason="rejected")
    assert standing(shop) == []
    assert shop.cases() == ["stock_short"]
    assert shop.stock("P1") == (20, 0)
    assert not shop.drain().moving
    assert shop.lies() == []


def test_a_backorder_is_served_when_its_supply_comes(shop: House) -> None:
    lines = (StockLine("1", "P1", 10_000),)
    due = {"location": "wh-east", "due_at": DAY + timedelta(days=300), "version": "1"}
    tell(shop, SupplyExpected, "supply/po-1", "1", supply="po-1", lines=lines, **due)
    ordered(shop, 30)
    status = "select status from order_state where key = %s"
    assert shop.rows("select quantity / 1000 from promise where key = %s", KEY) == [(5,)]
    shop.flow()
    assert shop.rows(status, KEY) == [("backordered",)]
    assert shop.lies(quiesced=False) == []
    come = (StockLine("1", "P1", 10_000, "wh-east"),)
    tell(shop, StockReceived, "supply/po-1", "r1", supply="po-1", lines=come)
    assert standing(shop) == [("store-nyc", 5), ("wh-east", 25)]
    assert shop.rows("select * from promise") == []
    assert shop.rows(status, KEY) == [("paid",)]
    assert not shop.drain().moving
    assert shop.lies() == []


def test_orders_that_went_short_are_served_when_goods_come_the_first_first(shop: House) -> None:
    ordered(shop, 30, 4711)
    ordered(shop, 25, 4712)
    ordered(shop, 25, 4713)
    assert standing(shop, 4711) == standing(shop, 4713) == []
    assert standing(shop, 4712) == [("store-nyc", 5), ("wh-east", 20)]
    assert shop.cases() == ["stock_short", "stock_short"]
    come = (StockLine("1", "P1", 40_000, "wh-east"),)
    tell(shop, StockReceived, "receipt/r1", "1", lines=come)
    assert not shop.drain().moving
    assert standing(shop, 4711) == [("wh-east", 30)]
    assert standing(shop, 4713) == []
    assert shop.cases() == ["stock_short"]
    status = "select status from order_state where key = %s"
    assert shop.rows(status, KEY) == [("paid",)]
    assert shop.lies() == []
    assert told_alike(shop)


def test_an_order_is_sourced_again_when_a_person_says_so(shop: House) -> None:
    ordered(shop, 30)
    shop.rows("update waiting set asked = true returning 1")
    come = (StockLine("1", "P1", 40_000, "wh-east"),)
    tell(shop, StockReceived, "receipt/r1", "1", lines=come)
    assert "4711" in shop.verb("orders", "source", "4711")
    assert not shop.drain().moving
    assert standing(shop) == [("wh-east", 30)]
    assert shop.cases() == []


def test_a_person_says_that_a_place_failed(shop: House) -> None:
    ordered(shop, 2)
    shop.verb(
        "orders", "pick-failed", "4711", "--location", "store-nyc", "--reason", "no_pick",
        "--line", "1=1",
    )  # fmt: skip
    assert not shop.drain().moving
    assert standing(shop) == [("wh-east", 2)]
    assert shop.stock("P1", "store-nyc") == (4, 0)
    told = shop.rows("select action from audit where action like 'orders%'")
    assert told == [("orders.pick_failed",)]
    assert shop.lies() == []


def _failed_everywhere(shop: House, reason: str) -> None:
    """Of the only places there are one refuses the order, the other fails it for this reason."""
    ordered(shop, 4)
    tell(shop, PickFailed, KEY, "f1", failure="f1", location="store-nyc", reason="rejected")
    tell(shop, PickFailed, KEY, "f2", failure="f2", location="wh-east", reason=reason)
    assert (standing(shop), shop.cases()) == ([], ["stock_short"])


def counted(shop: House, pieces: int, at: str) -> None:
    shop.file("feed", f"product,location,quantity,counted\nP1,wh-east,{pieces},{at}\n".encode())
    ask_again(shop.connection, RulesInForce(), DAY + timedelta(days=2))
    shop.flow()


def test_goods_that_turn_up_at_a_count_serve_the_order_that_missed_them(shop: House) -> None:
    _failed_everywhere(shop, "no_pick")
    assert shop.stock("P1") == (16, 0)
    # what was counted before the pick says nothing, and too little is too little
    counted(shop, 20, "2026-03-02T06:00:00Z")
    counted(shop, 3, "2026-03-04T06:00:00Z")
    assert (standing(shop), shop.cases()) == ([], ["stock_short"])
    counted(shop, 20, "2026-03-04T18:00:00Z")
    assert standing(shop) == [("wh-east", 4)]
    assert shop.cases() == []
    assert not shop.drain().moving
    assert shop.lies() == []
    assert told_alike(shop)


def test_a_place_that_refused_serves_again_when_a_person_says_so(shop: House) -> None:
    _failed_everywhere(shop, "rejected")
    counted(shop, 20, "2026-03-04T18:00:00Z")
    assert standing(shop) == []
    shop.verb("orders", "source", "4711", "--allow", "wh-east")
    shop.flow()
    assert standing(shop) == [("wh-east", 4)]
    assert shop.cases() == []
    assert shop.lies(quiesced=False) == []
    assert told_alike(shop)
