"""A web shop with an inventory of its own, and stores that sell the same goods."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house, line, paid_order, shipment, tax
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.app.publication import Hand
from tillbridge.atoms.clock import FixedClock
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.connectors.sandbox.shop_inventory import ShopInventory
from tillbridge.connectors.sandbox.shopify_simulator import ShopifySimulator

# later than any clock of the database, whose `now()` some statements use
NOON = datetime(2099, 3, 2, 12, tzinfo=UTC)
TOKEN = "made-up-token"
ITEM, PLACE = "1001", "5501"
NAMES = (("web", "product", f"inventory_item:{ITEM}", "P1"),)


class Trade:
    """The house, its shop over there, and a clock; publication is done step by step."""

    def __init__(self, at: House, shop: ShopifySimulator, clock: FixedClock) -> None:
        self.at = at
        self.shop = shop
        self.clock = clock
        self.hand = Hand(at.hub, at.connection)
        self._orders = 4700

    @property
    def inventory(self) -> ShopInventory:
        return self.shop.inventory

    @property
    def shown(self) -> int | None:
        return self.inventory.available(ITEM, PLACE)

    @property
    def promised(self) -> int:
        on_hand, reserved = self.at.stock("P1")
        return on_hand - reserved

    def publish(self, seconds: float = 1.0) -> int:
        """Plan, let so long pass, and call until nothing is due; gives the calls of the shop."""
        before = self.inventory.calls
        self.hand.plan()
        self.clock.sleep(seconds)
        while self.hand.publish():
            self.clock.sleep(0.5)
        return self.inventory.calls - before

    def buys_in_the_shop(self, pieces: int = 1) -> dict[str, Any]:
        """Over there: taken off at once. Gives the webhook that tells it."""
        assert self.inventory.sell(ITEM, PLACE, pieces)
        self._orders += 1
        lines = [line(1, quantity=pieces, price="10.00", tax_lines=[tax("0.00", 0.0)])]
        at = self.clock.now().isoformat()
        told = {"created_at": at, "processed_at": at, "updated_at": at}
        return paid_order(self._orders, lines, f"{10 * pieces}.00", **told)

    def takes_from_the_shelf(self, pieces: int) -> None:
        """Somebody else's goods: a count of the warehouse after all."""
        on_hand, _ = self.at.stock("P1")
        self.at.file("feed", _counted(on_hand - pieces, self.clock.now()))

    def row(self) -> tuple[Any, ...]:
        (found,) = self.at.rows(
            "select confirmed / 1000, untold / 1000, due is null from publication"
            " where product = 'P1' and location = 'wh-east'"
        )
        return found


def _counted(pieces: int, at: datetime) -> bytes:
    return (
        b"product,location,quantity,counted\n" + f"P1,wh-east,{pieces},{at.isoformat()}\n".encode()
    )


@contextmanager
def trading(folder: Path, url: str, publish: str) -> Iterator[Trade]:
    """The house of the stories, its web shop publishing."""
    clock = FixedClock(NOON)
    shop = ShopifySimulator((), TOKEN, points=100_000, clock=clock)
    shop.inventory.stock(ITEM, PLACE, 3)
    shop.inventory.stock("1002", PLACE, 0)
    shop.inventory.skus["1002"] = "SKU-2"
    endpoint = f"{shop.start()}/admin/api/2026-10/graphql.json"

    def furnish(place: Path) -> None:
        path = place / "tillbridge.toml"
        (place / "secrets" / "token").write_text(TOKEN)
        text = path.read_text().replace(
            "# secrets.access_token =",
            f'settings = {{ endpoint = "{endpoint}" }}\npublish = {publish}\n'
            'secrets.access_token = { file = "secrets/token" } #',
            1,
        )
        path.write_text(text)

    try:
        with house(folder, url, clock=clock, furnish=furnish) as found:
            found.names(NAMES)
            trade = Trade(found, shop, clock)
            trade.hand.look_after()
            trade.publish()
            yield trade
    finally:
        shop.stop()


@pytest.fixture
def trade(tmp_path: Path, database_url: str) -> Iterator[Trade]:
    with trading(tmp_path / "house", database_url, '{ locations = ["wh-east"] }') as found:
        yield found


def test_the_first_number_is_read_before_it_is_set(trade: Trade) -> None:
    assert trade.shown == 20
    assert trade.inventory.calls == 1
    assert trade.row() == (20, 0, True)
    assert trade.at.lies() == []


def test_twelve_orders_in_a_second_are_one_call(trade: Trade) -> None:
    told = [trade.buys_in_the_shop() for _ in range(12)]
    for order in told:
        trade.at.web("orders/create", order)
    assert trade.publish() == 1
    assert (trade.shown, trade.promised) == (8, 8)
    assert trade.publish(60) == 0
    assert trade.at.rows("select count(*) from publication_drift") == [(0,)]
    assert trade.at.lies() == []


def test_a_shop_that_sells_meanwhile_never_shows_more_than_is_there(trade: Trade) -> None:
    secret = trade.buys_in_the_shop(2)  # its webhook is late
    trade.takes_from_the_shelf(5)
    assert trade.promised == 15
    assert trade.publish() == 2  # the first was stale, the second knows of two sold pieces
    assert trade.shown == 13
    assert trade.row() == (13, 2, True)
    assert trade.at.rows("select state, expected / 1000, actual / 1000 from publication_drift") == [
        ("open", 20, 18)
    ]
    trade.at.web("orders/create", secret)
    assert trade.promised == 13
    trade.publish()
    assert trade.shown == 13
    assert trade.row() == (13, 0, True)
    trade.hand.look_after()
    assert trade.at.rows("select state, orders from publication_drift") == [
        ("explained", ["order/web/4701"])
    ]
    assert trade.at.cases() == []
    assert trade.at.lies() == []


def test_shipping_what_the_shop_sold_is_no_news_for_it(trade: Trade) -> None:
    trade.at.web("orders/create", trade.buys_in_the_shop(3))
    trade.publish()
    trade.at.web("fulfillments/create", shipment(1, 4701, {1: 3}))
    assert trade.at.stock("P1") == (17, 0)
    trade.publish()
    assert (trade.shown, trade.row()) == (17, (17, 0, True))
    assert trade.at.rows("select count(*) from publication_drift") == [(0,)]


def test_what_nobody_told_goes_out_again_and_is_a_case_the_second_time(trade: Trade) -> None:
    for times in (1, 2):
        trade.inventory.stock(ITEM, PLACE, 11)  # somebody in the shop's admin
        trade.takes_from_the_shelf(1)
        trade.publish()
        assert trade.shown == 10
        trade.clock.sleep(31 * 60)
        trade.hand.look_after()
        trade.publish()
        assert trade.shown == trade.promised == 20 - times
        assert trade.at.cases() == (["publication_drift"] if times > 1 else [])


def test_an_answer_that_was_lost_is_settled_by_the_same_offer(trade: Trade) -> None:
    trade.shop.faults.add(Fault(do="lost", on="read"))
    trade.takes_from_the_shelf(5)
    trade.publish()
    assert trade.shown == 15
    trade.clock.sleep(60)
    trade.publish()
    assert trade.row() == (15, 0, True)
    set_ = [(one.before, one.after) for one in trade.inventory.changes if one.item == ITEM]
    assert set_ == [(3, 20), (20, 15)]
    assert trade.at.rows("select count(*) from publication_drift") == [(0,)]


def test_a_number_the_shop_tells_of_itself_is_looked_into(trade: Trade) -> None:
    trade.inventory.stock(ITEM, PLACE, 25)
    told = {
        "inventory_item_id": int(ITEM),
        "location_id": int(PLACE),
        "available": 25,
        "updated_at": "2099-03-02T12:30:00Z",
    }
    trade.at.web("inventory_levels/update", told)
    trade.hand.look_after()
    trade.publish()
    assert trade.shown == 20
    assert trade.row() == (20, 0, True)


def test_a_paused_channel_is_left_alone_and_told_later(trade: Trade) -> None:
    trade.at.verb("pause", "web/availability", "--reason", "they count")
    trade.takes_from_the_shelf(5)
    assert trade.publish() == 0
    trade.at.verb("resume", "web/availability")
    assert trade.publish() == 1
    assert trade.shown == 15


def test_a_store_that_sells_lowers_the_one_number_of_a_channel_without_places(
    tmp_path: Path, database_url: str
) -> None:
    total = '{ locations = ["wh-east", "store-nyc"], total_at = "wh-east" }'
    with trading(tmp_path / "house", database_url, total) as trade:
        assert trade.shown == 25
        sales = [
            receipt(n, [goods("A1", "10.00", "0.80"), tender("10.80")], "10.80", "0.80")
            for n in range(1, 4)
        ]
        trade.at.file("stores", poslog(*sales))
        trade.at.web("orders/create", trade.buys_in_the_shop(2))
        assert trade.publish() == 1
        assert trade.shown == 20
        assert trade.at.lies() == []
