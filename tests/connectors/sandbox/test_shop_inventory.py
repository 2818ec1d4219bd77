"""The sandbox shop's inventory refuses what the vendor refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tillbridge.connectors.sandbox.graphql_query import DIRECTIVES, QueryError
from tillbridge.connectors.sandbox.shop_inventory import ShopInventory

NOW = "2026-10"


def line(quantity: int, compare: int | None = 9, item: str = "1", **more: Any) -> dict[str, Any]:
    return {
        "inventoryItemId": f"gid://shopify/InventoryItem/{item}",
        "locationId": "gid://shopify/Location/7",
        "quantity": quantity,
        "changeFromQuantity": compare,
        **more,
    }


def told(
    shop: ShopInventory, *lines: dict[str, Any], key: str = "k", version: str = NOW
) -> list[str]:
    directives = {"idempotent": {"key": key}} if key else {}
    wanted = {"name": "available", "reason": "correction", "quantities": list(lines)}
    answer = shop.set_quantities({"input": wanted, DIRECTIVES: directives}, version)
    return [error["code"] for error in answer["userErrors"]]


@pytest.fixture
def shop() -> ShopInventory:
    made = ShopInventory()
    made.stock("1", "7", 9)
    made.stock("2", "7", 3)
    return made


def test_all_lines_or_none(shop: ShopInventory) -> None:
    assert told(shop, line(4), line(1, 2, "2")) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert (shop.available("1", "7"), shop.available("2", "7")) == (9, 3)
    assert told(shop, line(4), line(1, 3, "2")) == []
    assert (shop.available("1", "7"), shop.available("2", "7")) == (4, 1)


def test_the_same_key_gives_the_first_result_and_changes_nothing(shop: ShopInventory) -> None:
    assert told(shop, line(4)) == []
    assert shop.sell("1", "7", 1)
    assert told(shop, line(4)) == []
    assert shop.available("1", "7") == 3
    assert told(shop, line(5, 3)) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert len(shop.changes) == 1


def test_a_refused_call_leaves_its_key_free(shop: ShopInventory) -> None:
    assert told(shop, line(4, 8)) == ["CHANGE_FROM_QUANTITY_STALE"]
    shop.stock("1", "7", 8)
    assert told(shop, line(4, 8)) == []


def test_the_key_and_the_compare_field_are_required_as_the_version_says(
    shop: ShopInventory,
) -> None:
    with pytest.raises(QueryError, match="idempotent"):
        told(shop, line(4), key="")
    bare = {name: value for name, value in line(4).items() if name != "changeFromQuantity"}
    with pytest.raises(QueryError, match="changeFromQuantity"):
        told(shop, bare)
    assert told(shop, bare | {"compareQuantity": 8}, key="", version="2026-01") == [
        "COMPARE_QUANTITY_STALE"
    ]
    assert told(shop, bare | {"compareQuantity": 9}, key="", version="2026-01") == []


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([line(-1)], "INVALID_QUANTITY_NEGATIVE"),
        ([line(1, 9, "3")], "INVALID_INVENTORY_ITEM"),
        ([line(1, locationId="gid://shopify/Location/8")], "ITEM_NOT_STOCKED_AT_LOCATION"),
        ([line(1), line(2)], "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"),
    ],
)
def test_wrong_lines_are_refused_in_the_vendors_codes(
    shop: ShopInventory, lines: list[dict[str, Any]], code: str
) -> None:
    assert told(shop, *lines) == [code]


def test_null_opts_out_of_the_compare_and_250_lines_are_the_most(shop: ShopInventory) -> None:
    assert told(shop, line(4, None)) == []
    with pytest.raises(QueryError, match="251"):
        told(shop, *[line(1)] * 251, key="other")


def test_a_buyer_in_the_shop_never_takes_more_than_it_shows(shop: ShopInventory) -> None:
    assert shop.sell("2", "7", 3)
    assert not shop.sell("2", "7", 1)
    assert shop.available("2", "7") == 0
