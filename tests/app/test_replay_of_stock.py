"""A log in which stock was held at the desk, moved, counted and promised gives the same state.

What the desk and the sweeper do stands in the log beside the flow, which lags behind them here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from tests.one_person import works_alone
from tests.stories.shop import House, house, line, paid_order, shipment
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.app.replay.findings import page
from tillbridge.app.replay.whole_log import replay_log
from tillbridge.app.runner import FlowRunner, Pace
from tillbridge.app.settings import FILE
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.items import Component, ItemDescribed, Pack
from tillbridge.canonical.stock import (
    ConditionChanged,
    PickFailed,
    StockAdjusted,
    StockLine,
    StockReceived,
    SupplyExpected,
    TransferDispatched,
    TransferReceived,
    hold_key,
)
from tillbridge.connectors.direct.keys import order_key
from tillbridge.connectors.direct.wire import TOPIC
from tillbridge.contract.promises import Item
from tillbridge.durable import log, messages
from tillbridge.durable.log import ALL_LANES
from tillbridge.durable.rooms import Record
from tillbridge.inbox.arrivals import arrival
from tillbridge.posting.stock import activation, expiry
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.desk import Ask, Told, answer_group
from tillbridge.posting.stock.waiting import ask_again

DAY = datetime(2026, 3, 3, 12, tzinfo=UTC)
Verb = Literal["confirm", "move", "release"]
PLACES = ("store-nyc", "wh-east")
TERMS = 'fulfil_from = ["store-nyc", "warehouse"]\nsplit_most = 2\nbackorder = true'
DOOR = """
[[channel]]
code = "hotline"
entity = "us"
flow = "web"
fulfil_from = ["store-nyc", "warehouse"]
order_point = "placed"
backorder = true

[connection.hotline]
connector = "direct"
entity = "us"
channel = "hotline"
timezone = "America/New_York"
"""
SAFETY = '[[rule]]\nlocations = ["store-nyc"]\nsafety_stock = 1\n'


def _furnish(folder: Path) -> None:
    file = folder / FILE
    text = file.read_text(encoding="utf-8").replace('fulfil_from = ["wh-east"]', TERMS)
    file.write_text(text + DOOR, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=_furnish) as found:
        yield found


class Day:
    """What may happen to stock, one thing after the other, at a time of its own."""

    def __init__(self, shop: House, dice: random.Random) -> None:
        self._shop = shop
        self._dice = dice
        self._number = 0
        self.now = DAY
        self.carts: list[str] = []

    def tell(self, kind: type[Fact], key: str, **words: Any) -> None:
        """A fact from outside; the flow takes it when it gets there."""
        self._number += 1
        fact = kind(
            key=key,
            id=f"{key}/{self._number}",
            source="feed",
            mapping="feed/1",
            occurred_at=self.now,
            business_date=self.now.date(),
            entities=Entities(selling="us"),
            **words,
        )
        record = Record(key, kind.__name__, fact, lane_of(key))
        log.append_and_commit(self._shop.connection, [record])

    def desk(self, *asks: Ask) -> list[Told]:
        """A group at the hub's own door."""
        connection = self._shop.connection
        with connection.pipeline():
            told = answer_group(connection, asks, RulesInForce(), self.now)
            connection.commit()
        return told

    def lines(self, most: int) -> tuple[StockLine, ...]:
        """Some of the bundle, of packs or of pieces."""
        product, unit = self._dice.choice((("SET", ""), ("P2", "CS"), ("P1", ""), ("P1", "")))
        return (StockLine("1", product, self._dice.randint(1, most) * 1000, unit=unit),)

    def cart(self) -> None:
        """Somebody fills a cart."""
        self._number += 1
        name = f"{self._number:024x}"
        until = self.now + timedelta(minutes=self._dice.randint(2, 40))
        held = Ask(
            key=hold_key("hotline", name),
            verb="hold",
            channel="hotline",
            lines=self.lines(3),
            locations=PLACES,
            split_most=2,
            expires_at=until,
        )
        self.desk(held)
        self.carts.append(name)

    def mind(self) -> None:
        """Somebody confirms, moves or releases a cart, in time or not."""
        if self.carts:
            key = hold_key("hotline", self._dice.choice(self.carts))
            verbs: tuple[Verb, ...] = ("confirm", "confirm", "move", "release")
            verb = self._dice.choice(verbs)
            place = (self._dice.choice(PLACES),)
            self.desk(Ask(key=key, verb=verb, channel="hotline", locations=place))

    def sweep(self) -> None:
        """Carts past their time end; who waits for what is free again is sourced again."""
        expiry.sweep(self._shop.connection, self.now)
        ask_again(self._shop.connection, RulesInForce(), self.now)

    def order(self) -> None:
        """Somebody orders at the hub's own door, mostly what is in a cart."""
        self._number += 1
        number = f"T-{self._number}"
        cart = self.carts.pop(0) if self.carts else ""
        pieces = self._dice.randint(1, 4)
        goods_of = {"line": "1", "product": "P1", "quantity": str(pieces), "list": f"{pieces}.00"}
        body = {
            "number": number,
            "placed_at": self.now,
            "currency": "USD",
            "total": f"{pieces}.00",
            "lines": [goods_of],
            "reservation": cart,
        }
        raw = msgspec.json.encode(body)
        item = Item(topic=TOPIC, delivery=number, body=raw, key=order_key("hotline", number))
        connection = self._shop.connection
        known = messages.connection_ids(connection, ["hotline"])
        _, records = messages.store(connection, [arrival("hotline", item, self.now)], known)
        log.append_and_commit(connection, records)

    def web_order(self) -> None:
        """The web shop sells, often more than there is, and ships some of it."""
        self._number += 1
        number, pieces = 5000 + self._number, self._dice.randint(1, 9)
        body = paid_order(number, [line(1, quantity=pieces)], f"{pieces * 10}.00")
        self._shop.web("orders/create", body, flow=False)
        if self._dice.random() < 0.3:
            self._shop.web("fulfillments/create", shipment(number, number, {1: 1}), flow=False)
        elif self._dice.random() < 0.3:
            words = {"location": "store-nyc", "failure": "f", "reason": "no_pick"}
            self.tell(PickFailed, f"order/web/{number}", **words)

    def till(self) -> None:
        """A till sells what may be promised, and tells so late."""
        self._number += 1
        rung = [goods("A1", "20.00", "0", pieces=str(self._dice.randint(1, 4))), tender("20.00")]
        self._shop.file("stores", poslog(receipt(self._number % 50 + 1, rung, "20.00", "0")))

    def count(self) -> None:
        """Somebody counts a shelf, or tells late that he did."""
        at = self.now - timedelta(minutes=self._dice.randint(0, 60))
        row = f"P1,{self._dice.choice(PLACES)},{self._dice.randint(0, 9)},{at.isoformat()}"
        self._shop.file("feed", f"product,location,quantity,counted\n{row}\n".encode())

    def supply(self) -> None:
        """A purchase order is told, changed, or ends."""
        self._number += 1
        self.tell(
            SupplyExpected,
            "supply/po-1",
            supply="po-1",
            version=f"{self._number:05}",
            location="wh-east",
            due_at=DAY + timedelta(days=3),
            lines=(StockLine("1", "P1", self._dice.randint(5, 30) * 1000),),
            closed=self._dice.random() < 0.1,
        )

    def goods_in(self) -> None:
        """Some of it comes."""
        come = (StockLine("1", "P1", self._dice.randint(1, 6) * 1000, "wh-east"),)
        self.tell(StockReceived, "supply/po-1", supply="po-1", lines=come)

    def transfer(self) -> None:
        """Goods go from the warehouse to the store; not all of them arrive."""
        self._number += 1
        name = f"tr-{self._number}"
        way = {"transfer": name, "origin": "wh-east", "destination": "store-nyc"}
        sent = (StockLine("1", "P1", 2000), StockLine("2", "P2", 1000))
        self.tell(TransferDispatched, f"transfer/{name}", lines=sent, **way)
        self.tell(TransferReceived, f"transfer/{name}", lines=sent[: self._number % 2 + 1], **way)

    def correct(self) -> None:
        """Somebody corrects the book, or puts goods aside."""
        self._number += 1
        if self._dice.random() < 0.5:
            lost = (StockLine("1", "P1", self._dice.choice((-1000, 1000)), "wh-east"),)
            self.tell(StockAdjusted, f"adjustment/{self._number}", lines=lost, reason="shrinkage")
        else:
            aside = (StockLine("1", "P2", 1000, "wh-east", "damaged"),)
            self.tell(ConditionChanged, f"condition/{self._number}", lines=aside, before="sellable")

    def describe(self) -> None:
        """The bundle changes; pieces in it stay held as they were."""
        parts = (Component("P1", 1000), Component("P2", self._dice.choice((1000, 2000))))
        self._number += 1
        self.tell(
            ItemDescribed, "item/SET", product="SET", version=f"{self._number:05}", components=parts
        )

    def rules(self) -> None:
        """Safety stock comes into force, or goes."""
        text = self._dice.choice((SAFETY, ""))
        works_alone(self._shop.connection)
        activation.activate(self._shop.connection, text, "pat", "")
        self._shop.connection.commit()

    def acts(self) -> Sequence[Callable[[], None]]:
        """All of it, what is frequent more than once."""
        rare = (self.till, self.count, self.supply, self.goods_in, self.transfer, self.correct)
        often = (self.cart, self.mind, self.sweep, self.order, self.web_order)
        return (*often, *often, *rare, self.describe, self.rules)


def _lagging(shop: House, dice: random.Random) -> list[FlowRunner]:
    """Runners that hold some lanes each, so that much of what follows waits in the log."""
    lanes = list(ALL_LANES)
    dice.shuffle(lanes)
    paces = [
        Pace(lanes=tuple(lanes[:40]), batch_max=7),
        Pace(lanes=tuple(lanes[24:]), fuse=False, batch_max=3),
    ]
    return [shop.hub.runner(shop.connection, pace) for pace in paces]


HAPPENED = {
    "a cart went over to its order": "select 1 from hold where ended = 'taken_over'",
    "a cart expired": "select 1 from hold where ended = 'expired'",
    "a cart was released": "select 1 from hold where ended = 'released'",
    "a cart was confirmed": "select 1 from record where type = 'HoldConfirmed'",
    "a hold moved": "select 1 from record where type = 'HoldMoved'",
    "an order was answered anew": "select 1 from hold where turn > 0",
    "an order was promised supply": "select 1 from record where type = 'StockReserved'"
    " and convert_from(body, 'utf8') like '%\"promised\"%'",
    "a short order was sourced again": "select 1 from record where type = 'SourcingAsked'",
    "something came out short": "select 1 from hold where ended = 'short' or short <> ''",
    "a count corrected": "select 1 from stock_movement where kind = 'count'",
    "goods went elsewhere": "select 1 from stock_movement where kind = 'transfer_in'",
    "goods were put aside": "select 1 from stock_movement where kind = 'condition'",
    "a rule changed": "select 1 from record where type = 'AvailabilityRulesChanged'",
}


@pytest.fixture(scope="module")
def seen() -> dict[int, set[str]]:
    """What happened in each of the days."""
    return {}


SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_of_carts_and_shortages_is_told_by_its_log(
    shop: House, seen: dict[int, set[str]], seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - to be repeated
    day, runners = Day(shop, dice), _lagging(shop, dice)
    packs = (Pack("CS", 2000),)
    day.tell(ItemDescribed, "item/P2", product="P2", version="1", packs=packs)
    day.describe()
    day.supply()
    shop.flow()
    for _ in range(60):
        dice.choice(day.acts())()
        day.now += timedelta(minutes=dice.randint(0, 6))
        for _ in range(dice.randrange(3)):
            dice.choice(runners).run_once()
    _told_by_its_log(shop)
    shop.flow()
    _told_by_its_log(shop)
    day.now += timedelta(hours=1)
    day.sweep()
    assert shop.lies(quiesced=False) == []
    seen[seed] = {name for name, query in HAPPENED.items() if shop.rows(f"{query} limit 1")}
    if len(seen) == len(SEEDS):
        assert set().union(*seen.values()) == set(HAPPENED), "something never happened"


def _told_by_its_log(shop: House) -> None:
    shop.connection.rollback()
    found = replay_log(shop.hub)
    assert (found.same, found.findings) == (True, []), page(found)
    assert found.hash_live == found.hash_replayed
