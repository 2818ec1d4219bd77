"""What a channel is asked to show of our availability, and how that ended.

An offer is always a compare-and-set: it says what the channel is believed to show, and must change
nothing when the channel shows something else. So a sale the channel made a moment ago is never
overwritten by a figure that does not know of it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Outcome = Literal["applied", "conflict", "retry", "unknown", "refused"]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel shall show of one product at one of its places.

    operation: idempotency key; the same one is only ever sent with the same content. product,
    location: our codes (location "" = one number for all of ours). products, places: everything
    the channel calls them. quantity: thousandths of a unit, a multiple of the connector's
    `offer_step`. previous: what the channel is believed to show, None = not known: then the
    connector only reads and answers `conflict`. reference: what the connector said earlier that the
    item is over there, "" = it has to find out by the names.
    """

    operation: str
    product: str
    location: str
    products: tuple[str, ...]
    places: tuple[str, ...]
    quantity: int
    previous: int | None = None
    reference: str = ""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """How one offer ended.

    outcome: `applied` (the channel shows the quantity), `conflict` (it shows `actual` instead,
    thousandths; nothing was changed), `retry` (nothing was changed; after_seconds when the channel
    asks for it), `unknown` (may have been applied: the same offer again settles it), `refused`
    (words say why; it needs a person). reference: what the item is over there, kept for the next
    offer.
    """

    operation: str
    outcome: Outcome
    actual: int | None = None
    words: str = ""
    after_seconds: float | None = None
    reference: str = ""
