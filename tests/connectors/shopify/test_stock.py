"""What the shop has available at a location, page by page."""

from __future__ import annotations

import pytest

from tests.connectors.shopify.publishing_target import Target, publishing_target
from tillbridge.atoms.errors import Refused
from tillbridge.connectors.shopify.connector import ShopifyConnector
from tillbridge.contract.levels import Held


def told(target: Target, place: str) -> list[Held]:
    """All pages of a location."""
    held: list[Held] = []
    cursor, more = "", True
    while more:
        page = ShopifyConnector().stock(
            place, cursor, target.connection, target.secrets, target.transport
        )
        held += page.held
        cursor, more = page.cursor, page.more
    return held


@pytest.mark.parametrize("count", [1, 100, 231])
def test_every_item_stocked_there_is_told_once(count: int) -> None:
    with publishing_target() as target:
        for item in range(count):
            target.shop.inventory.stock(str(1000 + item), "5501", item)
            target.shop.inventory.skus[str(1000 + item)] = f"SKU-{item}"
        target.shop.inventory.stock("1000", "77", 5)
        assert told(target, "5501") == [
            Held((f"inventory_item:{1000 + item}", f"SKU-{item}"), item * 1000)
            for item in range(count)
        ]


def test_a_location_the_shop_does_not_know_is_refused() -> None:
    with publishing_target() as target, pytest.raises(Refused, match="no location 99"):
        told(target, "99")
