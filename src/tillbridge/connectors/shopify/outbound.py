"""Offers of availability in the vendor's words: global ids and whole pieces."""

from __future__ import annotations

from tillbridge.connectors.shopify.inventory import Line
from tillbridge.contract.offers import Offer

STEP = 1000
_ITEM = "inventory_item:"


def place_of(offer: Offer) -> tuple[str, str]:
    """Global ids of inventory item and location. Raises ValueError with words for a person."""
    items = [name.removeprefix(_ITEM) for name in offer.products if name.startswith(_ITEM)]
    if not items:
        raise ValueError(
            f"the inventory item of {offer.product} is not known; "
            f"give the name {_ITEM}NUMBER in table product"
        )
    places = [name for name in offer.places if name.isascii() and name.isdigit()]
    if not places:
        raise ValueError(
            f"the shop's number of location {offer.location or 'of the total'} is not known; "
            "give it in table location"
        )
    return f"gid://shopify/InventoryItem/{items[0]}", f"gid://shopify/Location/{places[0]}"


def line_of(offer: Offer, previous: int) -> Line:
    """The line that sets an offer. previous: thousandths. Raises ValueError as `place_of`."""
    item, location = place_of(offer)
    return Line(item, location, offer.quantity // STEP, previous // STEP)
