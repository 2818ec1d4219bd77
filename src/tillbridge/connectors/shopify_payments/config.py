"""Settings of a Shopify Payments account."""

from __future__ import annotations

import msgspec


class ShopifyPaymentsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """take_tests: whether transactions of the test mode count."""

    take_tests: bool = False
