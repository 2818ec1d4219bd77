"""From the rows of one delivery to facts: by the kind of the mapping. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from tillbridge.connectors.feed.config import FeedConfig, mapping_of
from tillbridge.connectors.feed.delivery import Delivery
from tillbridge.connectors.feed.fields import places_of
from tillbridge.connectors.feed.inbound_cards import card
from tillbridge.connectors.feed.inbound_costs import cost
from tillbridge.connectors.feed.inbound_fulfilments import fulfilment, substitution
from tillbridge.connectors.feed.inbound_goods import GOODS
from tillbridge.connectors.feed.inbound_orders import order
from tillbridge.connectors.feed.inbound_returns import returns
from tillbridge.connectors.feed.inbound_rows import payment, product, stock
from tillbridge.connectors.feed.inbound_sales import sale
from tillbridge.connectors.feed.inbound_settlements import no_delivery
from tillbridge.connectors.feed.inbound_tills import TILLS
from tillbridge.connectors.feed.wire import rows_of
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Message, Translation
from tillbridge.contract.wire import WireError

_KINDS: dict[str, Callable[[Delivery], Translation]] = {
    "sale": sale,
    "order": order,
    "stock": stock,
    "product": product,
    "payment": payment,
    "card": card,
    "cost": cost,
    "returns": returns,
    "fulfilment": fulfilment,
    "substitution": substitution,
    "settlement": no_delivery,
    **GOODS,
    **TILLS,
}


def translate(message: Message, connection: Connection, names: Names) -> Translation:
    """Facts of a delivery. Raises NeedsDecision naming file, line, column and value."""
    settings = cast("FeedConfig", connection.settings)
    mapping = mapping_of(settings)
    if message.topic != f"feed/{mapping.kind}":
        return Translation(ignored=f"{mapping.name} maps feed/{mapping.kind} only")
    found = rows_of(message.body, mapping.layout.format)
    if not found.rows or (found.at and len(found.at) != len(found.rows)):
        raise WireError("the delivery has no rows, or not a line for each of them")
    places = places_of(message.place, found.at, len(found.rows))
    delivery = Delivery(mapping, found.rows, places, message, connection, names, settings)
    return _KINDS[mapping.kind](delivery)
