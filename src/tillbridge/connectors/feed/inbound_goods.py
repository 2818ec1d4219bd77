"""Goods: items with packs and components, what corrects stock, receipts, transfers, supply. Pure.

A paper about goods (a correction, a receipt, a dispatch) is told once under its number. A transfer
has one key for both its ends, whoever tells them, because each end may come from another system.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tillbridge.atoms.ids import key_of
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.items import Component, ItemDescribed, Pack
from tillbridge.canonical.stock import (
    SELLABLE,
    ConditionChanged,
    PickFailed,
    StockAdjusted,
    StockLine,
    StockReceived,
    SupplyExpected,
    TransferDispatched,
    TransferReceived,
)
from tillbridge.canonical.supply import (
    PurchaseClosed,
    PurchaseLine,
    PurchaseOrdered,
    TransferCancelled,
    TransferOrdered,
)
from tillbridge.connectors.feed.delivery import Delivery
from tillbridge.connectors.feed.fields import Reading, unreadable
from tillbridge.contract.promises import Translation

AHEAD_MOST = timedelta(hours=1)
"""How far a clock may be ahead of ours: a count of tomorrow would swallow what happens today."""


def happened(reading: Reading, field: str, at: datetime, delivery: Delivery) -> None:
    """Nothing when an instant is past; refused when it lies in the future."""
    if at > delivery.message.received_at + AHEAD_MOST:
        words = f"{field}: {reading.text(field)!r} was still to come when this arrived"
        raise unreadable(reading.where(field), words)


def item(delivery: Delivery) -> Translation:
    """ItemDescribed, whole: the base unit, other units, what a bundle holds."""
    head = delivery.head()
    product = delivery.name("product", head, "product", head.text("title"))
    version, at = head.text("version"), delivery.message.received_at
    key = delivery.key("item", head.text("product"))
    day = at.astimezone(ZoneInfo(delivery.connection.timezone)).date()
    step = head.quantity("step")
    fact = ItemDescribed(
        **delivery.carried(key, f"{key}@{version}", at, day),
        product=product,
        version=version,
        title=head.text("title"),
        unit=head.text("unit") or "EA",
        step=1000 if step is None else step,
        category=head.text("category"),
        sellable=head.flag("sellable", otherwise=True),
        packs=tuple(Pack(p.text("unit"), _quantity(p)) for p in delivery.parts("pack")),
        components=tuple(
            Component(delivery.name("product", part, "product"), _quantity(part))
            for part in delivery.parts("component")
        ),
    )
    return Translation(facts=(fact,))


def adjustment(delivery: Delivery) -> Translation:
    """StockAdjusted: signed quantities with a reason."""
    head, lines = delivery.head(), _lines(delivery)
    key = delivery.key("adjustment", head.text("number"))
    fact = StockAdjusted(
        **carried(delivery, head, key, key, lines[0].location),
        lines=lines,
        reason=head.text("reason"),
    )
    return Translation(facts=(fact,))


def condition(delivery: Delivery) -> Translation:
    """ConditionChanged: a line's condition is the new one."""
    head, lines = delivery.head(), _lines(delivery)
    key = delivery.key("condition", head.text("number"))
    fact = ConditionChanged(
        **carried(delivery, head, key, key, lines[0].location),
        lines=lines,
        before=head.choice("before"),
        reason=head.text("reason"),
    )
    return Translation(facts=(fact,))


def receipt(delivery: Delivery) -> Translation:
    """StockReceived; PurchaseClosed beside it when nothing more will come of its supply."""
    head, lines = delivery.head(), _lines(delivery)
    key = delivery.key("receipt", head.text("number"))
    number, location = head.text("supply"), lines[0].location
    facts: list[Fact] = [
        StockReceived(**carried(delivery, head, key, key, location), lines=lines, supply=number)
    ]
    if number and head.flag("complete"):
        supply = key_of("supply", number)
        name = f"{supply}/closed/{delivery.connection.name}/{head.text('number')}"
        told = carried(delivery, head, supply, name, location)
        facts.append(PurchaseClosed(**told, supply=number, reason="complete"))
    return Translation(facts=tuple(facts))


def transfer(delivery: Delivery) -> Translation:
    """TransferOrdered, told whole; TransferCancelled beside it when it is not to be any more."""
    head = delivery.head()
    way, key = _way(delivery, head)
    zone = delivery.zone(way["origin"])
    version, at = head.text("version"), delivery.message.received_at
    day = at.astimezone(ZoneInfo(zone)).date()
    facts: list[Fact] = [
        TransferOrdered(
            **delivery.carried(key, f"{key}@{version}", at, day, way["origin"]),
            **way,
            version=version,
            lines=_lines(delivery),
            due_at=head.instant("due_at", zone),
            asked=head.choice("asked", "erp") if head.has("asked") else "erp",
        )
    ]
    if head.flag("cancelled"):
        carried = delivery.carried(key, f"{key}/cancel@{version}", at, day, way["origin"])
        facts.append(
            TransferCancelled(**carried, transfer=way["transfer"], reason=head.text("reason"))
        )
    return Translation(facts=tuple(facts))


def dispatch(delivery: Delivery) -> Translation:
    """TransferDispatched."""
    head, lines = delivery.head(), _lines(delivery)
    way, key = _way(delivery, head)
    name = f"{key}/dispatch/{delivery.connection.name}/{head.text('number')}"
    fact = TransferDispatched(
        **carried(delivery, head, key, name, way["origin"]),
        **way,
        lines=lines,
        complete=head.flag("complete"),
    )
    return Translation(facts=(fact,))


def arrival(delivery: Delivery) -> Translation:
    """TransferReceived; nothing more is to come unless the file says so."""
    head, lines = delivery.head(), _lines(delivery)
    way, key = _way(delivery, head)
    name = f"{key}/arrival/{delivery.connection.name}/{head.text('number')}"
    fact = TransferReceived(
        **carried(delivery, head, key, name, way["destination"]),
        **way,
        lines=lines,
        complete=head.flag("complete", otherwise=True),
    )
    return Translation(facts=(fact,))


def supply(delivery: Delivery) -> Translation:
    """SupplyExpected, told whole: what an inbound delivery still brings."""
    told, _ = _expected(delivery)
    return Translation(facts=(SupplyExpected(**told, lines=_lines(delivery)),))


def purchase(delivery: Delivery) -> Translation:
    """PurchaseOrdered, told whole; a line may be expected on a day of its own."""
    told, zone = _expected(delivery)
    head = delivery.head()
    lines = tuple(
        PurchaseLine(
            delivery.name("product", line, "product"),
            _quantity(line),
            line.text("unit"),
            line.instant("due_at", zone),
        )
        for line in delivery.parts("line")
    )
    fact = PurchaseOrdered(
        **told, lines=lines, supplier=head.text("supplier"), proposal=head.text("proposal")
    )
    return Translation(facts=(fact,))


def _expected(delivery: Delivery) -> tuple[dict[str, Any], str]:
    """What every telling of a supply says beside its lines, and the zone of its place."""
    head = delivery.head()
    location = delivery.name("location", head, "location")
    zone = delivery.zone(location)
    due = head.instant("due_at", zone)
    if due is None:
        raise unreadable(head.where("due_at"), "due_at is empty")
    number, version, at = head.text("supply"), head.text("version"), delivery.message.received_at
    key = key_of("supply", number)
    day = at.astimezone(ZoneInfo(zone)).date()
    told = delivery.carried(key, f"{key}@{version}", at, day, location)
    said = {"supply": number, "version": version, "location": location, "due_at": due}
    return {**told, **said, "closed": head.flag("closed")}, zone


def pick_failure(delivery: Delivery) -> Translation:
    """PickFailed: an order's place cannot or will not fulfil it; without lines nothing of it."""
    head = delivery.head()
    location = delivery.name("location", head, "location")
    source = head.text("source") or delivery.connection.name
    key, number = key_of("order", source, head.text("order")), head.text("number")
    failure = f"{delivery.connection.name}/{number}"
    fact = PickFailed(
        **carried(delivery, head, key, f"{key}/pick/{failure}", location),
        failure=failure,
        location=location,
        reason=head.choice("reason"),
        lines=tuple(
            StockLine(line.text("line"), "", line.quantity("quantity") or 0)
            for line in delivery.parts("line")
        ),
    )
    return Translation(facts=(fact,))


def carried(
    delivery: Delivery, head: Reading, key: str, name: str, location: str
) -> dict[str, Any]:
    """What a fact carries whose time the file tells; refused when that is missing or to come."""
    zone = delivery.zone(location)
    at = head.instant("at", zone)
    if at is None:
        raise unreadable(head.where("at"), "at is empty")
    happened(head, "at", at, delivery)
    return delivery.carried(key, name, at, at.astimezone(ZoneInfo(zone)).date(), location)


def _way(delivery: Delivery, head: Reading) -> tuple[dict[str, Any], str]:
    """Number and ends of a transfer, and its key."""
    number = head.text("transfer")
    ends = {end: delivery.name("location", head, end) for end in ("origin", "destination")}
    return {"transfer": number, **ends}, key_of("transfer", number)


def _lines(delivery: Delivery) -> tuple[StockLine, ...]:
    lines = tuple(
        StockLine(
            line=str(number),
            product=delivery.name("product", line, "product"),
            quantity=_quantity(line),
            location=_location(delivery, line),
            condition=line.choice("condition", SELLABLE) if line.has("condition") else SELLABLE,
            unit=line.text("unit"),
        )
        for number, line in enumerate(delivery.parts("line"), 1)
    )
    if not lines:
        raise unreadable(delivery.places[0], "there is no line")
    return lines


def _location(delivery: Delivery, line: Reading) -> str:
    """Where a line's goods are; a transfer says it once, for all of them."""
    return delivery.name("location", line, "location") if line.has("location") else ""


def _quantity(part: Reading) -> int:
    found = part.quantity("quantity")
    if found is None:
        raise unreadable(part.where("quantity"), "quantity is empty")
    return found


GOODS: dict[str, Callable[[Delivery], Translation]] = {
    "item": item,
    "adjustment": adjustment,
    "condition": condition,
    "receipt": receipt,
    "transfer": transfer,
    "dispatch": dispatch,
    "arrival": arrival,
    "supply": supply,
    "purchase": purchase,
    "pick_failure": pick_failure,
}
