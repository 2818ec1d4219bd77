"""Settings of a PayPal account as a settlement source."""

from __future__ import annotations

import msgspec


class PaypalConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """order_column: the column that names the order as its channel does. accounts: account ids that
    are taken, () = all. places: decimals that amounts of a currency imply in the report, where they
    are not those of ISO 4217.
    """

    order_column: str = "invoice id"
    accounts: tuple[str, ...] = ()
    places: dict[str, int] = {}
