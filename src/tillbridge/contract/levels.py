"""What a source tells of its own stock, to be compared with the book. Evidence, never booked."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Held(msgspec.Struct, frozen=True):
    """How much a source has of one product, thousandths. products: everything it calls it."""

    products: tuple[str, ...]
    quantity: int


class StockPage(msgspec.Struct, frozen=True, kw_only=True):
    """Part of what a source has at one of its places. What no page names, it has none of.

    as_of: the instant the figures are of, None = of the call. cursor, more: as of a listing.
    """

    held: tuple[Held, ...]
    as_of: datetime | None = None
    cursor: str = ""
    more: bool = False
