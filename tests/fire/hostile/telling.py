"""One day of trade told two ways: each event once and in order, or as badly as senders can.

An event is a delivery of the web shop, one transaction of a till, or one line of a stock file; all
go through the store and the rooms of the real hub, the documents into a sandbox ERP in memory.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from tests.fire.simulation.books import State, lies, state_of, unlike_erp
from tests.fire.simulation.outside import Books, Erp
from tests.fire.simulation.plan import Plan
from tests.fire.simulation.world import shared_hub
from tests.stories.shop import OwnTime
from tillbridge.app import registry
from tillbridge.app.hub import Hub
from tillbridge.app.pending import Pending
from tillbridge.app.worker import drain
from tillbridge.atoms.clock import FixedClock
from tillbridge.connectors.sandbox.assortment import LOCATIONS, PRODUCTS, xref_rows
from tillbridge.connectors.sandbox.dice import Dice
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.connectors.shopify import webhooks
from tillbridge.contract.promises import Item, ReadsFiles
from tillbridge.durable import log, messages
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.arrivals import arrival
from tillbridge.mapping.names import NameRow, set_names

DAY = date(2041, 11, 13)
BEGIN = datetime(2041, 11, 13, 12, tzinfo=UTC)
LATE_HOURS = 24
COPIES_MOST = 10


class Event(msgspec.Struct, frozen=True):
    """Something that happened, as its sender tells it; opening: the stock of the morning."""

    connection: str
    item: Item
    headers: dict[str, str] = {}
    opening: bool = False


class Ending(msgspec.Struct):
    """What a telling ended in; problems: broken promises, in words."""

    state: State
    problems: list[str]
    told: int
    new: int
    left: Pending


def events_of(day: DayOfTrade, hub: Hub) -> list[Event]:
    """Every event of the day once, in the order it happened."""
    opening = [
        Event("feed", item, opening=True)
        for item in _split(hub, "feed", "opening.csv", day.opening_stock)
    ]
    counts = [Event("feed", item) for item in _split(hub, "feed", "count.csv", _evening(day))]
    tills = [
        Event("stores", item)
        for location, body in day.poslogs.items()
        for item in _split(hub, "stores", f"{location}.xml", body)
    ]
    first = {one.event: one for one in reversed(day.deliveries)}
    shop = sorted(first.values(), key=lambda one: one.headers["X-Shopify-Triggered-At"])
    web = [_webhook(dict(one.headers), one.body) for one in shop]
    return [*opening, *web, *tills, *counts]


def _split(hub: Hub, name: str, file: str, body: bytes) -> list[Item]:
    connector = registry.connector(hub.workspace.settings.connection[name].connector)
    if not isinstance(connector, ReadsFiles):
        raise TypeError(f"{name} reads no files")
    return list(connector.split(io.BytesIO(body), file, hub.sources[name], ""))


def _evening(day: DayOfTrade) -> bytes:
    """A count of what no till and no order touched: the levels of the morning less one."""
    sold = {
        (till.location.code, line.product.code)
        for till in day.tills
        for receipt in till.receipts
        for line in receipt.lines
    }
    ordered = {line.product for story in day.stories for line in story.order.lines}
    quiet = {
        f"{product.item},{place.feed_id}"
        for place in LOCATIONS
        for product in PRODUCTS
        if (place.code, product.code) not in sold
        and (place.code in ("store-bos", "store-tor") or product.code not in ordered)
    }
    head, *rows = day.opening_stock.decode().splitlines()
    at = (BEGIN + timedelta(minutes=30)).isoformat()  # before the first telling of it
    counted = [
        f"{key},{int(pieces) - 1},{at}"
        for key, pieces, _ in (row.rsplit(",", 2) for row in rows)
        if key in quiet
    ]
    return "\n".join((head, *counted, "")).encode()


def _webhook(headers: dict[str, str], body: bytes) -> Event:
    found = webhooks.address(headers, body)
    item = Item(topic=found.topic, delivery=found.delivery, key=found.key, body=body)
    return Event("web", item, headers)


def hostile(events: Sequence[Event], dice: Dice) -> list[tuple[float, Event]]:
    """Each event 1 to 10 times at random within a day; old versions after new ones, noise.

    Gives (hours from now, event). Only the stock of the morning stays before everything else:
    with too little stock the order of arrival decides who gets it, by nature.
    """
    told: list[tuple[float, Event]] = []
    for event in events:
        for copy in range(dice.between(1, COPIES_MOST)):
            early = event.opening and not copy
            told.append((0.0 if early else 1.0 + dice.below(LATE_HOURS * 3600) / 3600.0, event))
    updates = [e for e in events if e.connection == "web" and e.item.topic.startswith("orders/")]
    for event in updates:
        if dice.chance(0.02):  # told once more under an id of its own, when all others are through
            headers = {**event.headers, "X-Shopify-Event-Id": dice.uuid()}
            told.append((LATE_HOURS + 1.0, _webhook(headers, event.item.body)))
    for number in range(len(events) // 100):
        headers = {"X-Shopify-Topic": "themes/publish", "X-Shopify-Event-Id": dice.uuid()}
        body = msgspec.json.encode({"id": number, "name": "Winter"})
        told.append((1.0 + dice.below(LATE_HOURS), _webhook(headers, body)))
    return sorted(told, key=lambda one: one[0])


class Telling:
    """A hub over an empty database that is told a day."""

    def __init__(self, folder: Path, url: str, orders: int, seed: int) -> None:
        self.day = day_of_trade(seed, orders, DAY)
        self.clock = FixedClock(BEGIN)
        told = shared_hub(folder, url, Plan(seed=seed, trade=seed))
        key = told.workspace.secrets("erp")["api_key"][0]
        self.erp = Erp(self.clock, key)
        self._books = Books(self.erp, self.day, self.clock)
        self.hub = Hub(
            told.workspace, url, clock=self.clock, transport=self._books, overrides=told._overrides
        )
        self.hub.agreed_clock = OwnTime(self.clock)

    def tell(self, events: Sequence[tuple[float, Event]], dice: Dice) -> Ending:
        """Store and carry all events in their order, then deliver, then judge."""
        new = 0
        with self.hub.connect() as connection:
            told = (*xref_rows(), self.day.late)
            rows = [NameRow(r.connection, r.table, r.theirs, r.ours) for r in told]
            set_names(connection, rows)
            connection.commit()
            numbers = messages.connection_ids(connection, ["web", "stores", "feed"])
            connection.commit()
            runner = self.hub.runner(connection)
            place = 0
            while place < len(events):
                group = events[place : place + dice.between(1, 200)]
                if not group[0][0]:  # the stock of the morning, before anything else is told
                    group = [one for one in events[place:] if not one[0]]
                place += len(group)
                self._wait_until(group[-1][0])
                new += self._store(connection, [event for _, event in group], numbers)
                if group[-1][0]:
                    runner.run_once()
                else:
                    runner.drain()
            left = drain(self.hub, 7200.0)
            problems = lies(connection, quiesced=True) + unlike_erp(connection, self.erp)
            return Ending(state_of(connection, self.erp), problems, len(events), new, left)

    def _wait_until(self, hours: float) -> None:
        left = BEGIN + timedelta(hours=hours) - self.clock.now()
        self.clock.sleep(max(left.total_seconds(), 0.0))

    def _store(
        self, connection: Connection, events: Sequence[Event], numbers: dict[str, int]
    ) -> int:
        now = self.clock.now()
        incoming = [
            arrival(event.connection, event.item, now, headers=event.headers) for event in events
        ]
        stored, records = messages.store(connection, incoming, numbers)
        log.append_and_commit(connection, records)
        return sum(one.outcome == "new" for one in stored)
