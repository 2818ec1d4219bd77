"""Receipt numbers: one receipt is one sale, whatever sequence it comes under. Pure."""

from __future__ import annotations

from datetime import date

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.sales import SaleRung

Number = tuple[str, str, date, str]
"""Location, till, business day, number on the paper."""


def number_of(sale: SaleRung) -> Number | None:
    """What a receipt is known by besides its sequence; None when it has no number."""
    if not sale.receipt:
        return None
    return sale.location, sale.till, sale.business_date, sale.receipt


def told_twice(sale: SaleRung, known: str) -> NeedsDecision:
    """The case of a receipt that was told under another sequence before (a till that came back
    online and counted anew): booked once, and never a second time without a person.
    """
    return NeedsDecision(
        "receipt_twice",
        f"receipt {sale.receipt} of till {sale.till} in {sale.location} ({sale.business_date}) "
        f"came as transaction {sale.sequence} and was told as {known} before",
        owner="stores",
        amount=sale.total,
        currency=sale.currency,
        details={"key": sale.key, "known": known},
    )
