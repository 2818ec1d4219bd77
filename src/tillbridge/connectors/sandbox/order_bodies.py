"""Many distinct paid orders as webhook bodies, quickly: for benches and volume tests.

A few dozen orders are written up in full; each body after that is one of them with ids, numbers
and mail of its own put in. Amounts add up, names are those of the example retailer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tillbridge.connectors.sandbox.assortment import LATE_PRODUCT, PRODUCTS
from tillbridge.connectors.sandbox.dice import Dice
from tillbridge.connectors.sandbox.shop_bodies import order_body
from tillbridge.connectors.sandbox.shop_orders import OrderDesk, ShopOrder, State

TEMPLATES = 48
FIRST_ID = 6_000_000_000_000
FIRST_NUMBER = 100_000
IDS_PER_ORDER = 64
_LEFT_OUT = (
    "discount_codes",
    "discount_applications",
    "billing_address",
    "product_exists",
    "variant_inventory_management",
    "fulfillment_service",
    "properties",
    "vendor",
    "carrier_identifier",
    "requested_fulfillment_service_id",
    "latitude",
    "longitude",
)


def order_bodies(
    count: int, lines: int = 4, seed: int = 1, size_bytes: int = 5000
) -> Iterator[bytes]:
    """`count` bodies of topic orders/paid, each another order of `lines` lines.

    A body has about `size_bytes` bytes (more when the lines alone need more). The same arguments
    give the same bodies; other seeds give other ids.
    """
    dice = Dice(seed)
    desk = OrderDesk(dice, 1_000_000_000_000)
    codes = [product.code for product in PRODUCTS if product.code != LATE_PRODUCT]
    began = datetime(2026, 11, 13, 13, tzinfo=UTC)
    templates = []
    for number in range(TEMPLATES):
        at = began + timedelta(seconds=number * 60)
        order = desk.place(at, dice.some(codes, lines), percent=10 if number % 4 == 0 else 0)
        templates.append(_template(order, size_bytes))
    first = FIRST_ID + seed * 10**10
    for number in range(count):
        pieces, places = templates[number % TEMPLATES]
        order_id = first + number * IDS_PER_ORDER
        parts = list(pieces)
        for place, offset in places:
            value = FIRST_NUMBER + number if offset < 0 else order_id + offset
            parts[place] = b"%d" % value
        yield b"".join(parts)


def _template(order: ShopOrder, size_bytes: int) -> tuple[list[bytes], list[tuple[int, int]]]:
    """The order's bytes in pieces, and which pieces are ids (offset, -1 for the number)."""
    at = order.placed_at + timedelta(seconds=5)
    body = _lean(order_body(order, State(at=at, paid=True)))
    offsets = {str(order.id): 0, str(order.number): -1, str(order.buyer.id): 1}
    offsets[str(order.id + 3)] = 2
    for number, line in enumerate(order.lines):
        offsets[str(line.id)] = 10 + number
    body["number"] = order.number
    body["email"] = body["contact_email"] = f"buyer.{order.number}@example.com"
    body["customer"]["email"] = body["email"]
    body["token"] = body["cart_token"] = f"{order.id:0>32}"
    body["checkout_id"] = order.id
    body["note_attributes"] = _padding(size_bytes - len(msgspec.json.encode(body)))
    encoded = msgspec.json.encode(body).decode()
    pattern = "(" + "|".join(rf"(?<!\d){text}(?!\d)|(?<=0){text}" for text in offsets) + ")"
    pieces = re.split(pattern, encoded)
    places = [(n, offsets[piece]) for n, piece in enumerate(pieces) if piece in offsets]
    return [piece.encode() for piece in pieces], places


def _lean(body: dict[str, Any]) -> dict[str, Any]:
    """Without price sets and what a shop with a narrow subscription leaves out."""
    kept: dict[str, Any] = {}
    for name, value in body.items():
        if name.endswith("_set") or name in _LEFT_OUT:
            continue
        if isinstance(value, list):
            kept[name] = [_lean(one) if isinstance(one, dict) else one for one in value]
        else:
            kept[name] = _lean(value) if isinstance(value, dict) else value
    return kept


def _padding(missing: int) -> list[dict[str, str]]:
    """Attributes of the cart as shop themes leave them there, until the size is reached."""
    rows = []
    number = 0
    while missing > 40:
        number += 1
        row = {"name": f"_theme_section_{number}", "value": "v" * min(120, max(missing - 45, 1))}
        rows.append(row)
        missing -= len(msgspec.json.encode(row)) + 1
    return rows
