"""Products and stock levels.

A product's variants are told under the product's key, each as a fact of its own. Levels are
`available` (less the shop's own open orders), so they are evidence beside the stock book, never
its opening balance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from tillbridge.atoms.ids import key_of
from tillbridge.canonical.catalogue import ProductChanged
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.stock import StockCounted
from tillbridge.connectors.shopify import wire
from tillbridge.connectors.shopify.inbound_scope import Scope, plain_text, version
from tillbridge.contract.wire import WireError

# The only variant of a product without options.
NO_VARIANT = "Default Title"


def product_changed(
    product: wire.Product, scope: Scope, *, removed: bool = False
) -> Iterator[Fact]:
    """One fact per variant."""
    key = key_of("product", scope.connection.name, wire.number(product.id))
    for place, variant in enumerate(product.variants, 1):
        number = wire.number(variant.id)
        title = plain_text(product.title)
        if variant.title != NO_VARIANT:
            title = f"{title} - {plain_text(variant.title)}"
        where = f"variant {place} ({title})"
        theirs = (variant.sku or "").strip() or f"variant:{number}"
        told = version(product.updated_at, variant.updated_at)
        latest = max(product.updated_at, variant.updated_at)
        yield ProductChanged(
            product=scope.names.ours("product", theirs, where=where, hint=title),
            title=title,
            version=told,
            gtin=gtin(variant.barcode or ""),
            price=scope.minor(variant.price, None, f"{where}, price"),
            currency=scope.currency,
            removed=removed or product.status == "archived",
            **scope.about(key, f"{key}/variant/{number}@{told}", latest),
        )


def gtin(barcode: str) -> str:
    """The barcode when it is a GTIN (8, 12, 13 or 14 digits with a right check digit), else ""."""
    digits = barcode.strip()
    if len(digits) not in (8, 12, 13, 14) or not (digits.isascii() and digits.isdigit()):
        return ""
    body, check = digits[:-1], int(digits[-1])
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body[::-1]))
    return digits if (10 - total % 10) % 10 == check else ""


def stock_counted(
    item: wire.Id, location: wire.Id, available: int, counted_at: datetime, scope: Scope
) -> StockCounted:
    """The fact of a level; quantity may be negative (oversold)."""
    numbers = (wire.number(item), wire.number(location))
    key = key_of("stock", scope.connection.name, *numbers)
    where = f"inventory item {numbers[0]}"
    ours = scope.location(location, f"{where}, location")
    return StockCounted(
        product=scope.names.ours("product", f"inventory_item:{numbers[0]}", where=where),
        location=ours,
        quantity=available * 1000,
        counted_at=counted_at.astimezone(UTC),
        basis="available",
        **scope.about(key, f"{key}@{version(counted_at)}", counted_at, ours),
    )


def triggered_at(headers: Mapping[str, str]) -> datetime | None:
    """When the event happened, as the webhook's headers say; None when they do not."""
    for name, value in headers.items():
        if name.lower() == "x-shopify-triggered-at":
            try:
                found = datetime.fromisoformat(value)
            except ValueError:
                raise WireError("X-Shopify-Triggered-At is no instant") from None
            return found if found.tzinfo is not None else None
    return None
