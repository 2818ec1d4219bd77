"""Returns as a warehouse, a 3PL or a returns service tells them, a stage at a time. Pure."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from tillbridge.atoms.ids import key_of
from tillbridge.canonical.returns import (
    GoodsReturned,
    ReturnAuthorized,
    ReturnCancelled,
    ReturnedLine,
    ReturnInspected,
    ReturnTold,
)
from tillbridge.connectors.feed.delivery import Delivery
from tillbridge.connectors.feed.fields import Reading, unreadable
from tillbridge.connectors.feed.inbound_goods import happened
from tillbridge.contract.promises import Translation


def returns(delivery: Delivery) -> Translation:
    """One stage of a return: authorised, called off, received or inspected."""
    head = delivery.head()
    location = delivery.name("location", head, "location")
    state = head.choice("state")
    lines = tuple(_line(delivery, part) for part in delivery.parts("line"))
    if not lines and state != "cancelled":
        raise unreadable(delivery.places[0], "there is no line")
    common = _common(delivery, head, state, location)
    fact: ReturnTold
    match state:
        case "authorized":
            until = head.day("until") if head.has("until") else None
            fact = ReturnAuthorized(**common, lines=lines, until=until, location=location)
        case "cancelled":
            fact = ReturnCancelled(**common, reason=head.text("reason"))
        case "received":
            if not location:
                raise unreadable(head.where("location"), "location is empty")
            receipt = head.text("receipt")
            fact = GoodsReturned(**common, location=location, lines=lines, receipt=receipt)
        case _:
            undecided = next((line for line in lines if not line.disposition), None)
            if undecided is not None:
                words = f"line {undecided.line or undecided.product}: disposition is empty"
                raise unreadable(delivery.places[0], words)
            seen = head.text("receipt")
            fact = ReturnInspected(**common, location=location, lines=lines, inspection=seen)
    return Translation(facts=(fact,))


def _common(delivery: Delivery, head: Reading, state: str, location: str) -> dict[str, Any]:
    zone = delivery.zone(location)
    at = head.instant("at", zone)
    if at is None:
        raise unreadable(head.where("at"), "at is empty")
    happened(head, "at", at, delivery)
    source = head.text("source") or delivery.connection.name
    key, number = key_of("order", source, head.text("order")), head.text("number")
    version = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    name = f"{key}/return/{delivery.connection.name}/{number}/{state}/{head.text('receipt')}"
    day = at.astimezone(ZoneInfo(zone)).date()
    return {
        **delivery.carried(key, f"{name}@{version}", at, day, location),
        "return_id": number,
        "version": version,
    }


def _line(delivery: Delivery, part: Reading) -> ReturnedLine:
    product = delivery.name("product", part, "product")
    if not (product or part.has("line")):
        raise unreadable(part.where("line"), "neither line nor product is told")
    quantity = part.quantity("quantity") or 0
    if quantity <= 0:
        raise unreadable(part.where("quantity"), "nothing comes back")
    fate = part.choice("disposition") if part.has("disposition") else ""
    return ReturnedLine(part.text("line"), quantity, product, fate, part.text("reason"))
