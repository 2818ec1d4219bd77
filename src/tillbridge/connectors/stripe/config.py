"""Settings of a Stripe account as a settlement source."""

from __future__ import annotations

import msgspec


class StripeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """order_column: the column of an itemised report that holds our order number, as metadata put
    it there (`payment_metadata[order]`); "" = none.
    """

    order_column: str = ""
