"""Products and stock levels."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.shopify.payloads import the, translate, with_settings
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.catalogue import ProductChanged
from tillbridge.canonical.stock import StockCounted
from tillbridge.connectors.shopify.inbound_catalogue import gtin


def product(**fields: Any) -> dict[str, Any]:
    return {
        "id": 8,
        "title": "Shirt",
        "updated_at": "2026-03-01T08:00:00Z",
        "variants": [
            {
                "id": 81,
                "title": "M",
                "price": "24.75",
                "sku": "SHIRT-M",
                "barcode": "4006381333931",
                "updated_at": "2026-03-02T08:00:00Z",
            },
            {
                "id": 82,
                "title": "Default Title",
                "price": 25,
                "updated_at": "2026-02-01T08:00:00Z",
            },
        ],
        **fields,
    }


def test_each_variant_is_a_product() -> None:
    first, second = translate("products/update", product()).facts
    assert isinstance(first, ProductChanged)
    assert isinstance(second, ProductChanged)
    assert (first.product, first.title, first.price, first.gtin) == (
        "SHIRT-M",
        "Shirt - M",
        2475,
        "4006381333931",
    )
    assert (second.product, second.title, second.price) == ("variant:82", "Shirt", 2500)
    assert first.key == second.key == "product/web/8"
    assert first.id == "product/web/8/variant/81@2026-03-02T08:00:00Z"
    assert first.currency == "USD"
    other = the(
        ProductChanged, translate("products/update", product(), with_settings(shop_currency="EUR"))
    )
    assert other.currency == "EUR"


def test_an_archived_or_deleted_product_is_removed() -> None:
    archived = the(ProductChanged, translate("products/update", product(status="archived")))
    assert archived.removed
    assert not the(ProductChanged, translate("products/update", product(status="draft"))).removed
    assert the(ProductChanged, translate("products/delete", product())).removed
    bare = translate("products/delete", {"id": 8})
    assert "names none of its variants" in bare.ignored
    assert translate("products/create", product(variants=[])).ignored


@pytest.mark.parametrize(
    ("barcode", "found"),
    [
        ("4006381333931", "4006381333931"),
        (" 96385074 ", "96385074"),
        ("4006381333932", ""),
        ("1234_pink", ""),
        ("", ""),
        ("\u0664\u0660\u0660\u0666\u0663\u0668\u0661\u0663\u0663\u0663\u0669\u0663\u0661", ""),
    ],
)
def test_a_barcode_is_a_gtin_only_with_its_check_digit(barcode: str, found: str) -> None:
    assert gtin(barcode) == found


def level(**fields: Any) -> dict[str, Any]:
    return {
        "inventory_item_id": 9,
        "location_id": 5501,
        "available": -3,
        "updated_at": "2026-03-02T08:00:00Z",
        **fields,
    }


def test_a_level_is_evidence_of_what_is_available() -> None:
    (fact,) = translate("inventory_levels/update", level()).facts
    assert isinstance(fact, StockCounted)
    assert (fact.product, fact.location, fact.quantity, fact.basis) == (
        "inventory_item:9",
        "5501",
        -3000,
        "available",
    )
    assert fact.key == "stock/web/9/5501"
    assert "not tracked" in translate("inventory_levels/connect", level(available=None)).ignored
    with pytest.raises(NeedsDecision):
        translate("inventory_levels/update", level(available="3"))


def test_what_is_no_longer_stocked_is_none_from_then_on() -> None:
    body = {"inventory_item_id": 9, "location_id": 5501}
    at = {"x-shopify-TRIGGERED-at": "2026-03-09T10:00:00.123456789Z"}
    fact = the(StockCounted, translate("inventory_levels/disconnect", body, headers=at))
    assert fact.quantity == 0
    assert fact.id == "stock/web/9/5501@2026-03-09T10:00:00Z"
    assert translate("inventory_levels/disconnect", body).ignored
    with pytest.raises(NeedsDecision, match="Triggered-At"):
        translate("inventory_levels/disconnect", body, headers={"X-Shopify-Triggered-At": "soon"})
