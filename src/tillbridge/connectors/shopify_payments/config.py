"""Settings of a Shopify Payments account."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from tillbridge.contract.wire import WireError, instant

SECRET_NAME = "access_token"  # noqa: S105 - the name, not the secret
_SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com")


class ShopifyPaymentsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One shop's account. Secret for polls: `access_token`, with the scope
    `read_shopify_payments_payouts`.

    take_tests: whether transactions of the test mode count. shop: `name.myshopify.com`; needed for
    polls only. endpoint: address of the Admin API up to its version where it is not the shop's own
    (a simulator). start_at: RFC 3339 instant from which payouts are read; "" = all. overlap_days:
    how far each run reaches back. page_size: payouts per call.
    """

    take_tests: bool = False
    shop: str = ""
    endpoint: str = ""
    api_version: str = "2026-10"
    start_at: str = ""
    overlap_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 14
    page_size: Annotated[int, msgspec.Meta(ge=1, le=250)] = 20
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 30.0

    def __post_init__(self) -> None:
        """Refuse what could never work; the loader shows the words beside the setting."""
        if self.shop and not _SHOP.fullmatch(self.shop):
            raise ValueError(f"shop {self.shop!r} is not like name.myshopify.com")
        if self.endpoint and not self.endpoint.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("endpoint must start with https://")
        try:
            instant(self.start_at or "2026-01-01T00:00:00Z")
        except WireError as problem:
            raise ValueError(f"start_at: {problem}") from None

    @property
    def url(self) -> str:
        """Address of the payouts' API, "" when neither shop nor endpoint is set."""
        base = self.endpoint or (f"https://{self.shop}" if self.shop else "")
        return f"{base.rstrip('/')}/admin/api/{self.api_version}/shopify_payments" if base else ""
