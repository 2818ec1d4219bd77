"""Settings of an Adyen account as a settlement source."""

from __future__ import annotations

import msgspec


class AdyenConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """order_column: the column that names the order as its channel does. merchants: merchant
    accounts that are taken, () = all. tenders: our tender code by Adyen's payment method, for
    methods that are not the connection's usual tender.
    """

    order_column: str = "merchant reference"
    merchants: tuple[str, ...] = ()
    tenders: dict[str, str] = {}
