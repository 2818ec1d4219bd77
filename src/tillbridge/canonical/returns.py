"""Refunds of an order: what was given back, for which lines, to which tenders, what restocks."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import TaxLine

# cancel: was never shipped; return: came back sellable; no_restock: came back or stayed, unsold.
RESTOCKS = ("cancel", "return", "no_restock")
PAYMENT_STATES = ("pending", "success", "failure")


class RefundLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One order line of a refund: quantity in thousandths, amounts in minor units, positive.

    net: without tax. taxes: what is given back of each tax. location: where it restocks or "".
    """

    line: str
    quantity: int
    net: int
    taxes: tuple[TaxLine, ...] = ()
    restock: str = "no_restock"
    location: str = ""


class RefundAdjustment(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money given back (positive) or kept (negative) beyond the lines: shipping, goodwill, ...

    kind: `shipping`, `duty`, `fee`, `goodwill`, `discrepancy`. net and tax in minor units.
    """

    kind: str
    net: int
    tax: int = 0


class RefundPayment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A transaction of a refund: only `success` moved money. amount: minor units, positive."""

    reference: str
    tender: str
    amount: int
    state: str = "success"


class RefundIssued(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A channel's refund record, whole; a later telling with the same `refund` replaces it.

    version: sortable text (instant of the telling).
    """

    refund: str
    version: str
    currency: str
    lines: tuple[RefundLine, ...] = ()
    adjustments: tuple[RefundAdjustment, ...] = ()
    payments: tuple[RefundPayment, ...] = ()
