"""Fulfilments as stores, warehouses and carriers tell them, and what they send instead. Pure.

They belong to an order of some other connection, which the file names (`source`).
"""

from __future__ import annotations

from typing import Any

from tillbridge.atoms.ids import key_of
from tillbridge.canonical.shipments import (
    FulfilmentTold,
    GoodsAllocated,
    GoodsCollected,
    GoodsDelivered,
    GoodsPacked,
    GoodsPicked,
    GoodsShipped,
    LineSubstituted,
    PickupExpired,
    PickupReady,
    ShippedLine,
)
from tillbridge.connectors.feed.delivery import Delivery
from tillbridge.connectors.feed.fields import Reading, unreadable
from tillbridge.connectors.feed.inbound_goods import carried
from tillbridge.contract.promises import Translation

_TOLD: dict[str, type[FulfilmentTold]] = {
    "allocated": GoodsAllocated,
    "picked": GoodsPicked,
    "packed": GoodsPacked,
    "ready": PickupReady,
    "collected": GoodsCollected,
    "delivered": GoodsDelivered,
    "expired": PickupExpired,
}
"""What a state is told as; every other one is of a parcel, and its GoodsShipped says it."""


def fulfilment(delivery: Delivery) -> Translation:
    """One telling of a fulfilment."""
    head = delivery.head()
    location = delivery.name("location", head, "location")
    key, state = _order(delivery, head), head.choice("state")
    shipment = f"{delivery.connection.name}/{head.text('number')}"
    version = _version(delivery, head, location)
    told: dict[str, Any] = {
        **carried(delivery, head, key, f"{key}/shipment/{shipment}/{state}@{version}", location),
        "shipment": shipment,
        "version": version,
        "location": location,
        "lines": tuple(_line(delivery, part) for part in delivery.parts("line")),
        "carrier": head.text("carrier"),
        "tracking": head.text("tracking"),
    }
    kind = _TOLD.get(state)
    return Translation(facts=(GoodsShipped(state=state, **told) if kind is None else kind(**told),))


def substitution(delivery: Delivery) -> Translation:
    """LineSubstituted."""
    row = delivery.head("row")
    currency = delivery.currency_of(row)
    row = delivery.head("row", currency)
    location = delivery.name("location", row, "location")
    key, version = _order(delivery, row), _version(delivery, row, location)
    number = f"{delivery.connection.name}/{row.text('number')}"
    quantity = row.quantity("quantity")
    if quantity is None or quantity < 0:
        raise unreadable(row.where("quantity"), "quantity is empty or below nothing")
    fact = LineSubstituted(
        **carried(delivery, row, key, f"{key}/instead/{number}@{version}", location),
        substitution=number,
        version=version,
        line=row.text("line"),
        product=delivery.name("product", row, "product"),
        quantity=quantity,
        net=row.amount("net"),
        location=location,
    )
    return Translation(facts=(fact,))


def _order(delivery: Delivery, head: Reading) -> str:
    source = head.text("source") or delivery.connection.name
    return key_of("order", source, head.text("order"))


def _version(delivery: Delivery, head: Reading, location: str) -> str:
    zone = delivery.zone(location)
    at = head.instant("version", zone) or head.instant("at", zone)
    if at is None:
        raise unreadable(head.where("at"), "at is empty")
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _line(delivery: Delivery, part: Reading) -> ShippedLine:
    quantity = part.quantity("quantity")
    if quantity is None or quantity < 0:
        raise unreadable(part.where("quantity"), "quantity is empty or below nothing")
    return ShippedLine(part.text("line"), quantity, delivery.name("product", part, "product"))
