"""Settings of one Tryton connection, as they stand in the workspace."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

# Where a line of an invoice is booked, by its kind (canonical LINE_KINDS).
LINE_ACCOUNTS: dict[str, str] = {
    "goods": "sales",
    "service": "services",
    "shipping": "shipping-income",
    "gift_card": "gift-card-liability",
    "tip": "tips-payable",
    "fee": "fee-income",
    "duty": "duties-payable",
    "rounding": "rounding",
}


class TrytonSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One database of one Tryton server. Secret: `password`.

    url: base URL without the database and without a slash at the end. user: login of the
    integration user. warehouse: code for documents that name no location ("" = the first one).
    line_accounts: account per line kind, laid over LINE_ACCOUNTS. tax_account: account of a tax,
    `{jurisdiction}` is replaced. An account that Tryton lacks falls back to its longest known
    prefix (`sales-tax/US-CA` to `sales-tax`). An account that is no revenue account over there
    (a liability) is put on the invoice as an amount of its own beside the taxes.
    journal: code of the journal for the hub's entries ("" = the first general one).
    named_buyers: False books every sale on one party per channel and sends no personal data.
    create_products: a product Tryton lacks is created from its code and title, else refused.
    ship_with_invoice: an invoice also moves its goods out of the warehouse of its location.
    timeout_seconds: of one call; a batch of twenty takes some seconds.
    """

    url: str
    database: str
    user: str = "tillbridge"
    warehouse: str = ""
    line_accounts: Mapping[str, str] = {}
    tax_account: str = "sales-tax/{jurisdiction}"
    journal: str = ""
    named_buyers: bool = True
    create_products: bool = False
    ship_with_invoice: bool = False
    timeout_seconds: float = 120.0

    def line_account(self, kind: str) -> str:
        """Account name for a line of that kind."""
        return self.line_accounts.get(kind) or LINE_ACCOUNTS.get(kind, "sales")
