"""The example retailer's day of trade, whole and the same for the same seed.

What its shop tells (signed webhooks are made of the deliveries by `shopify_simulator`), what its
tills write, what its stock feed says in the morning, which names are known, and what the books must
say in the evening. Pure: nothing is read, written or sent here.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from tillbridge.connectors.sandbox.assortment import (
    LOCATIONS,
    PRODUCTS,
    STORES,
    XrefRow,
    late_row,
    xref_csv,
)
from tillbridge.connectors.sandbox.dice import Dice
from tillbridge.connectors.sandbox.poslog_files import poslog_file
from tillbridge.connectors.sandbox.shop_day import Delivery, ShopDay, Story
from tillbridge.connectors.sandbox.till_day import OPENS_AT, TillDay, till_day

DAY = date(2026, 11, 13)
SHOP_OPENS_AT = 8


class OrderOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the books must say of a web order in the evening, US cents.

    recognised: what was shipped (with its share of shipping once all is shipped) minus returns is
    for the rules to say; here stand the shop's own figures.
    """

    id: int
    number: str
    part: str
    total: int
    tax: int
    shipping: int
    refunded: int
    shipped_all: bool
    cancelled: bool
    lines: int


class TillOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the books must say of a store's day: receipts that count, their sum, money by tender."""

    location: str
    currency: str
    receipts: int
    total: int
    tax: int
    tenders: dict[str, int]
    transactions: int


class DayOfTrade(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one day.

    deliveries: in sending order, with duplicates and overtaking. stories: the orders with their
    states, for the shop simulator. late: the cross-reference nobody had entered in the morning.
    """

    seed: int
    day: date
    deliveries: tuple[Delivery, ...]
    stories: tuple[Story, ...]
    tills: tuple[TillDay, ...]
    opening_stock: bytes
    xref: bytes
    late: XrefRow
    poslogs: dict[str, bytes]
    orders: tuple[OrderOutcome, ...]
    stores: tuple[TillOutcome, ...]

    def files(self) -> dict[str, bytes]:
        """Everything that arrives as a file, by name."""
        found = {"xref.csv": self.xref, "opening-stock.csv": self.opening_stock}
        for location, body in self.poslogs.items():
            found[f"poslog-{location}-{self.day.isoformat()}.xml"] = body
        return found


def day_of_trade(seed: int, orders: int = 20, day: date = DAY) -> DayOfTrade:
    """The day: `orders` web orders and about 15 sales in each of the three stores."""
    shop = ShopDay(seed, _at(day, SHOP_OPENS_AT, "America/New_York"), orders)
    tills = tuple(
        till_day(seed * 31 + number, store, day, _at(day, OPENS_AT, store.timezone))
        for number, store in enumerate(STORES, 1)
    )
    return DayOfTrade(
        seed=seed,
        day=day,
        deliveries=shop.deliveries,
        stories=tuple(shop.stories),
        tills=tills,
        opening_stock=opening_stock(seed, orders, day),
        xref=xref_csv(),
        late=late_row(),
        poslogs={till.location.code: poslog_file(till) for till in tills},
        orders=tuple(_order_outcome(story) for story in shop.stories),
        stores=tuple(_till_outcome(till) for till in tills),
    )


def opening_stock(seed: int, orders: int = 20, day: date = DAY) -> bytes:
    """The stock feed of the morning: `product,location,quantity,counted`, enough for the day, and
    counted before anything else happens in it.
    """
    dice = Dice(seed ^ 0x5709)
    lines = ["product,location,quantity,counted"]
    for location in LOCATIONS:
        low = 40 + 3 * orders if not location.store_id else 30
        lines += [
            f"{product.item},{location.feed_id},{dice.between(low, low * 2)},{day}T00:00:00+00:00"
            for product in PRODUCTS
        ]
    return ("\n".join(lines) + "\n").encode()


def _order_outcome(story: Story) -> OrderOutcome:
    order, last = story.order, story.last
    wanted = sum(line.quantity for line in order.lines if not line.gift_card)
    gone = sum(pieces for parcel in last.shipped for _, pieces in parcel.lines)
    return OrderOutcome(
        id=order.id,
        number=f"#{order.number}",
        part=story.part,
        total=order.total,
        tax=order.tax,
        shipping=order.shipping,
        refunded=last.refunded,
        shipped_all=gone == wanted,
        cancelled=last.cancelled_at is not None,
        lines=len(order.lines),
    )


def _till_outcome(till: TillDay) -> TillOutcome:
    kinds = ("Cash", "CreditDebit", "GiftCard")
    return TillOutcome(
        location=till.location.code,
        currency=till.location.currency,
        receipts=len(till.counting),
        total=till.total,
        tax=sum(sign * receipt.tax for sign, receipt in till.counting),
        tenders={kind: till.taken(kind) for kind in kinds},
        transactions=len(till.receipts) + 5,
    )


def _at(day: date, hour: int, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone))
