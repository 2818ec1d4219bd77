"""Returns and refunds of an order: goods allowed back, received, looked at; money given back."""

from __future__ import annotations

from datetime import date

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import TaxLine
from tillbridge.canonical.sales import SaleLine

# cancel: was never shipped; return: came back sellable; no_restock: came back or stayed, unsold.
RESTOCKS = ("cancel", "return", "no_restock")
# at_till: a till gave it back and has booked it with its receipt
PAYMENT_STATES = ("pending", "success", "failure", "at_till")
# what becomes of goods that came back: sold again, kept apart, thrown away
DISPOSITIONS = ("restock", "damaged", "write_off")


class RefundLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One order line of a refund: quantity in thousandths, amounts in minor units, positive.

    net: without tax. taxes: what is given back of each tax. location: where it restocks or "".
    tax: how the tax is known (orders.TAX_TOLD); `included`: net holds it.
    """

    line: str
    quantity: int
    net: int
    taxes: tuple[TaxLine, ...] = ()
    restock: str = "no_restock"
    location: str = ""
    tax: str = "told"


class RefundAdjustment(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money given back (positive) or kept (negative) beyond the lines: shipping, goodwill, ...

    kind: `shipping`, `duty`, `fee`, `goodwill`, `discrepancy`. net and tax in minor units.
    """

    kind: str
    net: int
    tax: int = 0


class RefundPayment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A transaction of a refund: `success` moved money, `at_till` did so at a till that has booked
    it. amount: minor units, positive.

    tender: "" where the source does not say by which; it goes back by what was paid with, in the
    order of the policy.
    parent: reference of the payment it gives back. card: gift card or credit that was filled.
    """

    reference: str
    tender: str
    amount: int
    state: str = "success"
    parent: str = ""
    card: str = ""


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


class RefundApproved(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """People allowed the hub to have money given back. refund: operation of the document that asks
    for it; amount: up to how much, minor units of `currency`.
    """

    refund: str
    amount: int
    currency: str


class ReturnedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What comes back of a line: thousandths of its unit.

    line: of the order; "" where only the product is told (a till knows no lines of an order), which
    means the lines of that product that left, in their order. disposition: one of DISPOSITIONS, ""
    while nobody has looked. reason: the source's code.
    """

    line: str
    quantity: int
    product: str = ""
    disposition: str = ""
    reason: str = ""


class ReturnTold(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """What all tellings of a return carry; their key is that of the order or till sale.

    return_id: its number. version: sortable text; the newest telling of a stage counts.
    """

    return_id: str
    version: str


class ReturnAuthorized(ReturnTold, frozen=True, kw_only=True, omit_defaults=True):
    """Goods may come back: whole, with the last day on which they are taken. Books nothing.

    location: where they are expected, "" = anywhere.
    """

    lines: tuple[ReturnedLine, ...]
    until: date | None = None
    location: str = ""


class ReturnCancelled(ReturnTold, frozen=True, kw_only=True, omit_defaults=True):
    """What was authorised will not come; what came all the same is there."""

    reason: str = ""


class GoodsReturned(ReturnTold, frozen=True, kw_only=True, omit_defaults=True):
    """Goods of a return were received at a location of ours, wherever they were sold.

    receipt: its number where a return comes in several parts. A till that paid the buyer itself
    says so: refunded_by is the key of its sale, which booked money and goods already; rung are that
    sale's return lines (signed, in `currency`), `entities` those of the store.
    """

    location: str
    lines: tuple[ReturnedLine, ...]
    receipt: str = ""
    refunded_by: str = ""
    rung: tuple[SaleLine, ...] = ()
    currency: str = ""


class ReturnInspected(ReturnTold, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody looked at received goods: each line says what becomes of them.

    inspection: its number where a return is looked at in several parts. location: where, "" =
    wherever the goods are.
    """

    lines: tuple[ReturnedLine, ...]
    location: str = ""
    inspection: str = ""
