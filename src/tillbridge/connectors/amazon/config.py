"""Settings of a seller's account as a settlement source."""

from __future__ import annotations

from typing import Literal

import msgspec


class AmazonConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """order_column: which column names the order as its channel does. seller_tax: names of
    marketplaces (`amazon.de`) where we owe the tax on what we sell, so that it is part of the sale;
    elsewhere the marketplace collects it and keeps it again. decimal_mark: "" = as the file shows.
    day_first: what `03/04/2026` means, None = such days are not told. encoding: of the files.
    """

    order_column: Literal["order-id", "merchant-order-id"] = "order-id"
    seller_tax: tuple[str, ...] = ()
    decimal_mark: Literal["", ".", ","] = ""
    day_first: bool | None = None
    encoding: str = "utf-8-sig"
