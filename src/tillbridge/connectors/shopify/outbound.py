"""Offers of availability in the vendor's words: global ids and whole pieces."""

from __future__ import annotations

from tillbridge.connectors.shopify.inventory import Line
from tillbridge.contract.offers import Offer

STEP = 1000
ITEM = "inventory_item:"
_OTHERS = (ITEM, "variant:", "title:")


def item_of(offer: Offer) -> str:
    """Global id of the inventory item, "" when only a SKU is known."""
    named = [name.removeprefix(ITEM) for name in offer.products if name.startswith(ITEM)]
    return f"gid://shopify/InventoryItem/{named[0]}" if named else offer.reference


def sku_of(offer: Offer) -> str:
    """The SKU to find the item by. Raises ValueError with words for a person."""
    for name in offer.products:
        if not name.startswith(_OTHERS):
            return name
    raise ValueError(
        f"neither SKU nor inventory item of {offer.product} is known; give one in table product "
        f"(a SKU, or {ITEM}NUMBER)"
    )


def location_of(offer: Offer) -> str:
    """Global id of the location. Raises ValueError with words for a person."""
    for name in offer.places:
        if name.isascii() and name.isdigit():
            return f"gid://shopify/Location/{name}"
    raise ValueError(
        f"the shop's number of location {offer.location or 'of the total'} is not known; "
        "give it in table location"
    )


def line_of(offer: Offer, place: tuple[str, str]) -> Line:
    """The line that sets an offer at (item, location)."""
    return Line(*place, offer.quantity // STEP, (offer.previous or 0) // STEP)
