"""Inventory at the Admin API: read what is available, set it when it is still what we believe.

`inventorySetQuantities` takes 250 lines and applies all of them or none. From version 2026-04 on
each line must carry `changeFromQuantity` and the mutation an idempotency key; before that the field
is `compareQuantity` and there is no key. A stale compare is told without saying reliably of which
line, so the levels are read to find out.
Source: shopify.dev, inventorySetQuantities and its changelog of 2026-04.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.connectors.shopify import queries
from tillbridge.connectors.shopify.client import AdminApi
from tillbridge.connectors.shopify.wire import number
from tillbridge.contract import wire

LINES_MAX = 250
READ_MAX = 100
IDEMPOTENT_SINCE = "2026-04"
STALE = ("CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE")
AT_WORK = "IDEMPOTENCY_CONCURRENT_REQUEST"
NOT_STOCKED = "ITEM_NOT_STOCKED_AT_LOCATION"
_INDEX = re.compile(r"\d+")


class Line(msgspec.Struct, frozen=True):
    """One quantity to set: global ids of item and location, whole pieces."""

    item: str
    location: str
    quantity: int
    compare: int


class Trouble(msgspec.Struct, frozen=True):
    """One user error: the vendor's code, the line it names (None = it names none), its words."""

    code: str
    line: int | None
    words: str


class _UserError(msgspec.Struct):
    code: str | None = None
    field: list[str] | None = None
    message: str = ""


class _Item(msgspec.Struct):
    id: str


class _Variant(msgspec.Struct, rename="camel"):
    inventory_item: _Item
    sku: str | None = None


class _Variants(msgspec.Struct):
    nodes: list[_Variant]


def set_available(
    api: AdminApi, version: str, operation: str, lines: Sequence[Line]
) -> list[Trouble]:
    """Set all lines or none; no trouble means they are set. Raises as `AdminApi.ask`."""
    with_key = version >= IDEMPOTENT_SINCE
    compare = "changeFromQuantity" if with_key else "compareQuantity"
    wanted = {
        "name": "available",
        "reason": "correction",
        "quantities": [
            {
                "inventoryItemId": line.item,
                "locationId": line.location,
                "quantity": line.quantity,
                compare: line.compare,
            }
            for line in lines
        ],
    }
    if with_key:
        wanted["referenceDocumentUri"] = f"tillbridge://publication/{operation}"
        data = api.ask_openly(queries.SET_QUANTITIES, input=wanted, operation=operation)
    else:
        data = api.ask_openly(queries.SET_QUANTITIES_BEFORE_2026_04, input=wanted)
    answer = data.get("inventorySetQuantities")
    if not isinstance(answer, dict):
        raise wire.WireError("the shop's answer holds no inventorySetQuantities")
    found = wire.convert(list[_UserError], answer.get("userErrors"), where="userErrors")
    return [Trouble(one.code or "", _line_of(one), api.safe(one.message)[:200]) for one in found]


def available(api: AdminApi, places: Sequence[tuple[str, str]]) -> list[int | None]:
    """What (item, location) have available, whole pieces; None where the item is not stocked or
    not known. Raises as `AdminApi.ask`.
    """
    found: list[int | None] = []
    for begin in range(0, len(places), READ_MAX):
        part = places[begin : begin + READ_MAX]
        named: dict[str, Any] = {}
        for n, (item, location) in enumerate(part):
            named[f"i{n}"], named[f"l{n}"] = item, location
        data = api.ask(queries.levels(len(part)), **named)
        found += [_quantity(data, f"n{n}") for n in range(len(part))]
    return found


def items_of(api: AdminApi, skus: Sequence[str]) -> list[list[str]]:
    """Global ids of the inventory items that carry each SKU. Raises as `AdminApi.ask`."""
    found: list[list[str]] = []
    for begin in range(0, len(skus), READ_MAX):
        part = skus[begin : begin + READ_MAX]
        terms = {f"s{n}": f"sku:{_quoted(sku)}" for n, sku in enumerate(part)}
        data = api.ask(queries.items_of(len(part)), **terms)
        for n, sku in enumerate(part):
            page = wire.convert(_Variants, data.get(f"n{n}"), where="productVariants")
            found.append(sorted({one.inventory_item.id for one in page.nodes if one.sku == sku}))
    return found


def _quoted(sku: str) -> str:
    """As a term of the vendor's search."""
    escaped = sku.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def stocked(api: AdminApi, place: str, after: str) -> tuple[list[tuple[str, str, int]], str]:
    """One page of (item number, SKU, whole pieces available) at a location, and the next page's
    cursor. Raises as `AdminApi.ask`, and Refused for a location the shop does not know.
    """
    found = api.stocked(f"gid://shopify/Location/{place}", after)
    if found is None:
        raise Refused(f"the shop knows no location {place[:40]}", code="not_found")
    levels = []
    for node in found[0]:
        item = node.get("item")
        if not isinstance(item, dict):
            raise wire.WireError("a level names no item")
        levels.append((number(str(item.get("id"))), str(item.get("sku") or ""), _told(node)))
    return levels, found[1]


def _quantity(data: dict[str, Any], name: str) -> int | None:
    if name not in data:
        raise wire.WireError("the shop's answer lacks a level that was asked for")
    item = data[name]
    level = item.get("inventoryLevel") if isinstance(item, dict) else None
    if not isinstance(level, dict):
        return None
    return _told(level)


def _told(level: dict[str, Any]) -> int:
    told = wire.convert(list[dict[str, int]], level.get("quantities"), where="quantities")
    if not told or "quantity" not in told[0]:
        raise wire.WireError("a level tells no quantity")
    return told[0]["quantity"]


def _line_of(error: _UserError) -> int | None:
    """`["input", "quantities", "3", "quantity"]` is about line 3."""
    for part in error.field or ():
        if _INDEX.fullmatch(part):
            return int(part)
    return None
