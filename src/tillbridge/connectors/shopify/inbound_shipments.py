"""Fulfilments: told alone or inside their order, each telling a fact with its own version."""

from __future__ import annotations

from tillbridge.canonical.shipments import GoodsShipped, ShippedLine
from tillbridge.connectors.shopify import wire
from tillbridge.connectors.shopify.inbound_scope import Scope, plain_text, version

STATES = {
    "success": "shipped",
    "pending": "open",
    "open": "open",
    "cancelled": "cancelled",
    "error": "failed",
    "failure": "failed",
}


def goods_shipped(found: wire.Fulfillment, order: wire.Id, scope: Scope) -> GoodsShipped:
    """The fact of a fulfilment. Shipped goods left when the fulfilment was made; a later update of
    its tracking does not move that day. What takes it back happened at the update.
    """
    shipment = wire.number(found.id)
    state = STATES[found.status]
    where = f"fulfilment {shipment}"
    location = scope.location(found.location_id, f"{where}, location")
    told = version(found.updated_at)
    key = scope.order_key(order)
    at = found.created_at if state == "shipped" else found.updated_at
    return GoodsShipped(
        shipment=shipment,
        version=told,
        state=state,
        location=location,
        lines=tuple(
            ShippedLine(wire.number(line.id), line.quantity * 1000) for line in found.line_items
        ),
        carrier=plain_text(found.tracking_company),
        tracking=plain_text(found.tracking_number),
        **scope.about(key, f"{key}/shipment/{shipment}@{told}", at, location),
    )
