"""What the example shop tells the hub in a day: deliveries in the order they are sent.

Every change of an order is an event with its webhooks, in the order it happened. Then the world
gets at it: some deliveries come twice, some overtake others, some carry an old version late.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from tillbridge.connectors.sandbox.assortment import BY_LOCATION, LATE_PRODUCT, PRODUCTS
from tillbridge.connectors.sandbox.dice import Dice
from tillbridge.connectors.sandbox.shop_bodies import order_body
from tillbridge.connectors.sandbox.shop_line_bodies import (
    Json,
    fulfillment_body,
    instant,
    refund_body,
)
from tillbridge.connectors.sandbox.shop_orders import (
    OrderDesk,
    Shipped,
    ShopOrder,
    State,
    cancel_refund,
    piece_refund,
)

SHOP_DOMAIN = "tillbridge-outfitters.myshopify.com"
API_VERSION = "2026-10"
WAREHOUSE = BY_LOCATION["wh-east"].shop_id
STORE = BY_LOCATION["store-nyc"].shop_id

# What happens to the first orders of a day; all later ones are plain.
PARTS = (
    "plain",
    "discount",
    "unknown_sku",
    "cancelled",
    "returned",
    "paid_first",
    "doubled",
    "stale",
    "gift_card",
    "two_parcels",
    "from_store",
    "paypal",
    "shipped_first",
    "open",
    "discount",
    "doubled",
    "plain",
    "plain",
    "open",
    "from_store",
)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook as sent: topic, headers without the signature, body; note says what is odd."""

    topic: str
    order: int
    headers: Mapping[str, str]
    body: bytes
    note: str = ""

    @property
    def event(self) -> str:
        """The event id: the same on every telling of one event."""
        return self.headers["X-Shopify-Event-Id"]


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """An order with all its states, oldest first; part: what the day had in mind for it."""

    part: str
    order: ShopOrder
    states: tuple[State, ...]

    @property
    def last(self) -> State:
        """How it stands in the evening."""
        return self.states[-1]


class ShopDay:
    """Plays the day; `stories` and `deliveries` are the result."""

    def __init__(self, seed: int, begin: datetime, orders: int) -> None:
        """begin: when the shop's day opens, with zone. orders: how many are placed."""
        self._dice = Dice(seed)
        self._desk = OrderDesk(self._dice, 5_900_000_000_000 + seed % 1000 * 10**9)
        self._now = begin
        self.stories: list[Story] = []
        self._events: list[tuple[datetime, Delivery]] = []
        gap = 10 * 3600 // max(orders, 1)
        for number in range(orders):
            part = PARTS[number] if number < len(PARTS) else "plain"
            self._play(part, begin + timedelta(seconds=gap * number + self._dice.below(gap + 1)))
        self.deliveries = self._sent()

    def _play(self, part: str, at: datetime) -> None:
        """One order from placing to its last state, with its events."""
        dice = self._dice
        codes = [product.code for product in PRODUCTS if product.code != LATE_PRODUCT]
        products = dice.some(codes, dice.pick((1, 1, 2, 2, 3, 4, 5)))
        if part == "unknown_sku":
            products = [*products[:2], LATE_PRODUCT]
        if part in ("two_parcels", "returned", "discount") and len(products) < 2:
            products = dice.some(codes, 3)
        order = self._desk.place(
            at,
            products,
            percent=dice.pick((10, 15)) if part == "discount" else 0,
            gateway="paypal" if part == "paypal" else "shopify_payments",
            gift_card=part == "gift_card",
        )
        states = [State(at=at)]
        self._tell("orders/create", order, states[-1], order_body(order, states[-1]))
        paid = State(at=at + timedelta(seconds=dice.between(2, 9)), paid=True)
        states.append(paid)
        self._tell("orders/paid", order, paid, order_body(order, paid))
        self._tell("orders/updated", order, paid, order_body(order, paid))
        if part == "cancelled":
            states.append(self._cancel(order, paid))
        elif part != "open":
            for parcel in self._parcels(part, order, paid.at):
                states.append(self._ship(order, states[-1], parcel))
            if part == "returned":
                states.append(self._take_back(order, states[-1]))
        self.stories.append(Story(part=part, order=order, states=tuple(states)))

    def _parcels(self, part: str, order: ShopOrder, at: datetime) -> list[Shipped]:
        """What leaves from where, and when."""
        dice = self._dice
        lines = [(line.id, line.quantity) for line in order.lines if not line.gift_card]
        groups = [lines[:1], lines[1:]] if part == "two_parcels" else [lines]
        location = STORE if part == "from_store" else WAREHOUSE
        parcels = []
        for group in groups:
            at += timedelta(minutes=dice.between(45, 200))
            parcels.append(
                Shipped(
                    id=self._desk.new_id(),
                    at=at,
                    location=location,
                    lines=tuple(group),
                    tracking=f"EX{dice.below(10**9):09d}",
                )
            )
        return parcels

    def _ship(self, order: ShopOrder, before: State, parcel: Shipped) -> State:
        after = msgspec.structs.replace(before, at=parcel.at, shipped=(*before.shipped, parcel))
        self._tell("fulfillments/create", order, after, fulfillment_body(order, after, parcel))
        self._tell("orders/updated", order, after, order_body(order, after))
        return after

    def _cancel(self, order: ShopOrder, before: State) -> State:
        at = before.at + timedelta(minutes=self._dice.between(5, 30))
        refund = cancel_refund(self._desk, order, at, WAREHOUSE)
        after = msgspec.structs.replace(before, at=at, refunds=(refund,), cancelled_at=at)
        self._tell("refunds/create", order, after, refund_body(order, after, refund))
        self._tell("orders/cancelled", order, after, order_body(order, after))
        self._tell("orders/updated", order, after, order_body(order, after))
        return after

    def _take_back(self, order: ShopOrder, before: State) -> State:
        at = before.at + timedelta(hours=3)
        refund = piece_refund(self._desk, order, at, STORE)
        after = msgspec.structs.replace(before, at=at, refunds=(*before.refunds, refund))
        self._tell("refunds/create", order, after, refund_body(order, after, refund))
        self._tell("orders/updated", order, after, order_body(order, after))
        return after

    def _tell(self, topic: str, order: ShopOrder, state: State, body: Json) -> None:
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": SHOP_DOMAIN,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": self._dice.uuid(),
            "X-Shopify-Event-Id": self._dice.uuid(),
            "X-Shopify-Triggered-At": instant(state.at),
        }
        delivery = Delivery(
            topic=topic, order=order.id, headers=headers, body=msgspec.json.encode(body)
        )
        self._events.append((state.at, delivery))

    def _sent(self) -> tuple[Delivery, ...]:
        """The events as they are sent: in time order, then doubled, overtaken and late."""
        ordered = [event for _, event in sorted(self._events, key=lambda event: event[0])]
        for story in self.stories:
            number = story.order.id
            if story.part == "paid_first":
                _overtake(ordered, number, "orders/paid", "orders/create")
            elif story.part == "shipped_first":
                _overtake(ordered, number, "fulfillments/create", "orders/paid")
            elif story.part == "doubled":
                _double(ordered, number, "orders/create")
                _double(ordered, number, "orders/paid")
                _double(ordered, number, "fulfillments/create")
            elif story.part == "stale":
                _late(ordered, number, "orders/updated")
            elif story.part == "returned":
                _double(ordered, number, "refunds/create")
        return tuple(ordered)


def _place(deliveries: list[Delivery], order: int, topic: str) -> int:
    """Where the first delivery of a topic of an order stands."""
    return next(n for n, one in enumerate(deliveries) if one.order == order and one.topic == topic)


def _overtake(deliveries: list[Delivery], order: int, topic: str, other: str) -> None:
    """Send one topic of an order just before another."""
    moved = deliveries.pop(_place(deliveries, order, topic))
    moved = msgspec.structs.replace(moved, note=f"overtakes {other}")
    deliveries.insert(_place(deliveries, order, other), moved)


def _double(deliveries: list[Delivery], order: int, topic: str) -> None:
    """Send a delivery again, the same event under another webhook id, three places later."""
    place = _place(deliveries, order, topic)
    first = deliveries[place]
    headers = dict(first.headers)
    headers["X-Shopify-Webhook-Id"] = headers["X-Shopify-Webhook-Id"][::-1]
    again = msgspec.structs.replace(first, headers=headers, note="the same event again")
    deliveries.insert(place + 4, again)


def _late(deliveries: list[Delivery], order: int, topic: str) -> None:
    """Send the oldest delivery of a topic at the very end: an old version after newer ones."""
    moved = deliveries.pop(_place(deliveries, order, topic))
    deliveries.append(msgspec.structs.replace(moved, note="an old version, late"))
