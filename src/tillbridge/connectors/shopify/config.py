"""Settings of a Shopify connection."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

_SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com")
_VERSION = re.compile(r"20[0-9]{2}-(01|04|07|10)")
# What the hub has to hear of: the vendor names them in capitals in its API.
TOPICS = (
    "orders/create",
    "orders/updated",
    "orders/cancelled",
    "orders/edited",
    "order_transactions/create",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
)


class ShopifyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one shop is read.

    shop: `name.myshopify.com`; needed for polls, re-reads and the check only. endpoint: full URL of
    the GraphQL Admin API where it is not the shop's own (a simulator). api_version: quarterly.
    rounding_tolerance: minor units per line and tax by which header and lines may differ.
    default_location: our location code where a fulfilment names none; "" = cross-reference
    `default` of table location. channel_from_source: look the channel up by `source_name` (web,
    pos, ...) in table channel instead of taking the connection's. taxes_included: whether prices
    include tax, for a refund told alone that does not show it; None = read its order again.
    shop_currency: the shop's currency where it is not the connection's. start_at: RFC 3339 instant
    from which the first sweep reads; "" = all orders the token may see. overlap_seconds: how far
    a sweep reaches back behind the last one. page_size: orders per page of a sweep (1 to 50).
    webhook_address: https address of the hub for this shop; "" = subscriptions are kept elsewhere
    (in the app's own file, say). webhook_topics: subscriptions that have to be there.
    notify_customers: the shop writes to the buyer when the hub tells it that goods left or money
    goes back.
    """

    shop: str = ""
    endpoint: str = ""
    api_version: str = "2026-10"
    rounding_tolerance: int = 1
    default_location: str = ""
    channel_from_source: bool = False
    taxes_included: bool | None = None
    shop_currency: str = ""
    start_at: str = ""
    overlap_seconds: int = 600
    page_size: int = 10
    timeout_seconds: float = 30.0
    webhook_address: str = ""
    webhook_topics: tuple[str, ...] = TOPICS
    notify_customers: bool = True

    def __post_init__(self) -> None:
        """Refuse what could never work; the loader shows the words beside the setting."""
        if self.shop and not _SHOP.fullmatch(self.shop):
            raise ValueError(f"shop {self.shop!r} is not like name.myshopify.com")
        if self.endpoint and not self.endpoint.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("endpoint must start with https://")
        if not _VERSION.fullmatch(self.api_version):
            raise ValueError(f"api_version {self.api_version!r} is not like 2026-10")
        if self.rounding_tolerance < 0 or self.overlap_seconds < 0:
            raise ValueError("rounding_tolerance and overlap_seconds are not negative")
        if not 1 <= self.page_size <= 50:
            raise ValueError("page_size is from 1 to 50")
        if self.timeout_seconds <= 0:
            raise ValueError("timeout_seconds is more than 0")
        if self.webhook_address and not self.webhook_address.startswith("https://"):
            raise ValueError("webhook_address must start with https://")
        if self.start_at and datetime.fromisoformat(self.start_at).tzinfo is None:
            raise ValueError("start_at carries no zone")

    @property
    def url(self) -> str:
        """Address of the GraphQL Admin API, "" when neither shop nor endpoint is set."""
        if self.endpoint:
            return self.endpoint
        if not self.shop:
            return ""
        return f"https://{self.shop}/admin/api/{self.api_version}/graphql.json"
