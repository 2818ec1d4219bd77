"""ShipBob's orders as facts about our orders. Pure.

An order over there is one request of ours; its reference says which. ShipBob splits it into
shipments as it likes, and each is a fulfilment. What a shipment holds of which line is worked out
from the products: lines of one product are served in the order they were asked for.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.registry import Body
from tillbridge.canonical.shipments import (
    GoodsAllocated,
    GoodsDelivered,
    GoodsPacked,
    GoodsPicked,
    GoodsShipped,
    ShippedLine,
)
from tillbridge.canonical.stock import PickFailed, StockLine
from tillbridge.connectors.shipbob import wire
from tillbridge.connectors.shipbob.outbound import LINE, THOUSAND
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Message, Translation
from tillbridge.contract.wire import WireError, instant, parse

MAPPING = "shipbob/1"
ORDER = "order"
"""Topic of an order read whole."""
_REFERENCE = re.compile(r"(order/[^/]+/[^/]+)/fulfilment_request/[0-9]{1,9}")
_HOOK = re.compile(r"order\.[a-z._]{1,60}")
_STEPS = {"Picked": GoodsPicked, "Packed": GoodsPacked, "Labeled": GoodsPacked}
"""Finer words for `Processing`; the others mean that it has the order and nothing was picked."""


def key_of_reference(reference: str) -> str:
    """Key of our order that a reference is about, "" when it is none of ours."""
    found = _REFERENCE.fullmatch(reference)
    return found[1] if found else ""


def translate(message: Message, connection: Connection, names: Names) -> Translation:
    """A webhook asks for its order to be read whole; an order tells its shipments."""
    if message.topic == ORDER:
        return _order(parse(wire.Order, message.body), connection, names)
    if _HOOK.fullmatch(message.topic):
        told = wire.read_told(message.body)
        return Translation(reread=(ORDER, str(told.order_id)))
    return Translation(ignored=f"topic {message.topic[:60]} says nothing about an order")


def _order(order: wire.Order, connection: Connection, names: Names) -> Translation:
    key = key_of_reference(order.reference_id)
    if not key:
        return Translation(ignored=f"order {order.id} was not asked for by the hub")
    if order.status not in STATUS_OF_ORDERS:
        raise WireError(f"order {order.id} has the unknown status {order.status[:40]!r}")
    left = _lines(order)
    facts: list[Body] = []
    for shipment in sorted(order.shipments, key=lambda one: one.id):
        lines = _inside(shipment, left, names)
        if shipment.location is None:
            continue
        place = names.ours("location", str(shipment.location.id), where=f"shipment {shipment.id}")
        fact = _fact(shipment, key, place, lines, connection)
        if fact is not None:
            facts.append(fact)
    if not facts:
        return Translation(ignored=f"order {order.id} is not in a center yet")
    return Translation(facts=tuple(facts))


STATUS_OF_ORDERS = (
    "Processing", "Exception", "PartiallyFulfilled", "Fulfilled", "Cancelled", "ImportReview",
)  # fmt: skip


def _lines(order: wire.Order) -> dict[str, list[list[Any]]]:
    """Product over there -> [our line, pieces not yet given to a shipment], in our order."""
    tags = {tag.name: tag.value for tag in order.tags or ()}
    found: dict[str, list[list[Any]]] = {}
    for one in sorted(order.products, key=lambda product: product.external_line_id):
        if one.quantity < 0:
            raise WireError(f"order {order.id} asks for fewer than no pieces")
        line = tags.get(f"{LINE}{one.external_line_id}", str(one.external_line_id))
        found.setdefault(one.reference_id, []).append([line, one.quantity])
    return found


def _inside(
    shipment: wire.Shipment, left: dict[str, list[list[Any]]], names: Names
) -> tuple[ShippedLine, ...]:
    """What a shipment holds of our lines; what nobody asked for cannot be booked on any."""
    lines: list[ShippedLine] = []
    for one in shipment.products:
        pieces = sum(item.quantity for item in one.inventory_items)
        where = f"shipment {shipment.id}"
        product = names.ours("product", one.reference_id, where=where)
        for row in left.get(one.reference_id, []):
            much = min(pieces, row[1])
            if much > 0:
                row[1] -= much
                pieces -= much
                lines.append(ShippedLine(row[0], much * THOUSAND, product))
        if pieces:
            raise WireError(f"{where} holds {pieces} of {one.reference_id!r} that nobody asked for")
    return tuple(lines)


def _fact(
    shipment: wire.Shipment,
    key: str,
    place: str,
    lines: tuple[ShippedLine, ...],
    connection: Connection,
) -> Body | None:
    if shipment.status not in wire.STATUSES:
        raise WireError(f"shipment {shipment.id} has the unknown status {shipment.status[:40]!r}")
    at = instant(shipment.last_update_at)
    version = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    number = f"{connection.name}-{shipment.id}"
    about = _about(connection, key, f"{key}/{number}/{shipment.status}@{version}", at, place)
    if shipment.status == wire.EXCEPTION:
        missing = tuple(StockLine(one.line, one.product, one.quantity) for one in lines)
        return PickFailed(failure=number, location=place, reason="no_pick", lines=missing, **about)
    tracking = shipment.tracking or wire.Tracking()
    told: dict[str, Any] = {
        **about,
        "shipment": number,
        "version": version,
        "location": place,
        "lines": lines,
        "carrier": tracking.carrier or "",
        "tracking": tracking.tracking_number or "",
    }
    if shipment.status == wire.COMPLETED:
        if shipment.delivery_date:
            return GoodsDelivered(**told)
        return GoodsShipped(state="shipped", **told)
    if shipment.status == wire.CANCELLED:
        return GoodsShipped(state="cancelled", **told)
    if shipment.status == wire.PROCESSING:
        details = [detail.name for detail in shipment.status_details or ()]
        step = next((_STEPS[name] for name in details if name in _STEPS), GoodsAllocated)
        return step(**told)
    return None


def _about(connection: Connection, key: str, name: str, at: datetime, place: str) -> dict[str, Any]:
    zone = ZoneInfo(connection.location_zones.get(place, connection.timezone))
    return {
        "key": key,
        "id": name,
        "source": connection.name,
        "mapping": MAPPING,
        "occurred_at": at,
        "business_date": at.astimezone(zone).date(),
        "entities": Entities(selling=connection.entity),
    }
