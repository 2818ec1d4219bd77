"""Goods leaving for a buyer: one fact per telling of a fulfilment, the newest version counts."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.fact import Fact

SHIPMENT_STATES = ("open", "shipped", "cancelled", "failed")


class ShippedLine(msgspec.Struct, frozen=True):
    """A line of the order and how much of it went: thousandths of the line's unit."""

    line: str
    quantity: int


class GoodsShipped(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A fulfilment as told by channel or warehouse.

    shipment: its id there. version: sortable text (its update instant). state: `shipped` counts,
    `open` is not out yet, `cancelled` and `failed` take an earlier `shipped` back.
    location: our location code it left from.
    """

    shipment: str
    version: str
    state: str
    location: str
    lines: tuple[ShippedLine, ...]
    carrier: str = ""
    tracking: str = ""
