"""Refunds: lines, adjustments and payments of a refund record, told alone or inside their order.

Whether a line's `subtotal` includes tax is a property of the order. Inside an order it is known. A
refund told alone is judged by what it shows: tax of 0 makes it irrelevant; else the payments decide
(they equal the amounts one way and not the other), else the embedded line's own rates, else the
setting `taxes_included`; when none of these tells, TaxUnclear asks for the order to be read.

Adjustments are negative in the shop where money was given back, positive where it was kept; ours
are the other way round. Amounts of lines and payments are positive on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET, structs

from tillbridge.atoms.money import split
from tillbridge.canonical.returns import (
    RefundAdjustment,
    RefundIssued,
    RefundLine,
    RefundPayment,
)
from tillbridge.connectors.shopify import wire
from tillbridge.connectors.shopify.inbound_lines import Tax, tax_lines, taxes_of
from tillbridge.connectors.shopify.inbound_payments import amount_of, gift_card
from tillbridge.connectors.shopify.inbound_scope import Scope, version

PAYMENT_STATES = {"success": "success", "failure": "failure", "error": "failure"}
Lines = Mapping[str, wire.LineItem]


class TaxUnclear(Exception):
    """The payload alone does not tell whether subtotals include tax."""


def refund_issued(
    refund: wire.Refund, order_id: wire.Id, scope: Scope, *, order: wire.Order | None = None
) -> RefundIssued:
    """The fact of a refund. order: the order it stands in, when it does not come alone."""
    number = wire.number(refund.id)
    known = {} if order is None else _charged(order)
    adjustments = _adjustments(refund, scope)
    if order is not None:
        inclusive = order.taxes_included
    else:
        # Before any name is asked for: the answer may be to read the order instead.
        inclusive = _inclusive(refund, adjustments, scope)
    told = version(
        refund.created_at,
        refund.processed_at,
        order.updated_at if order else None,
        *(found.processed_at or found.created_at for found in refund.transactions),
    )
    key = scope.order_key(order_id)
    return RefundIssued(
        refund=number,
        version=told,
        currency=scope.currency,
        lines=tuple(
            _line(line, refund, known, scope, inclusive=inclusive)
            for line in refund.refund_line_items
        ),
        adjustments=tuple(adjustments),
        payments=tuple(_payments(refund, scope)),
        **scope.about(
            key, f"{key}/refund/{number}@{told}", refund.processed_at or refund.created_at
        ),
    )


def _charged(order: wire.Order) -> dict[str, wire.LineItem]:
    """The order's lines by number; an old payload tells taxes on the order alone, so they stand in
    for those of its lines.
    """
    lines = order.line_items
    if order.tax_lines and not any(line.tax_lines for line in lines):
        lines = [structs.replace(line, tax_lines=order.tax_lines) for line in lines]
    return {wire.number(line.id): line for line in lines}


def refund_currency(refund: wire.Refund) -> str:
    """The shop's currency as far as a refund told alone shows it, else ""."""
    sets = [refund.total_duties_set, refund.total_additional_fees_set]
    sets += [line.subtotal_set for line in refund.refund_line_items]
    sets += [found.amount_set for found in refund.order_adjustments]
    return next((found.shop_money.currency_code for found in sets if found is not None), "")


def _line(
    line: wire.RefundLine, refund: wire.Refund, known: Lines, scope: Scope, *, inclusive: bool
) -> RefundLine:
    number = wire.number(line.line_item_id)
    where = f"refund {wire.number(refund.id)}, line {number}"
    subtotal = scope.minor(line.subtotal, line.subtotal_set, where)
    tax = _tax(line, scope, where)
    net = subtotal - tax if inclusive else subtotal
    item = line.line_item or known.get(number)
    charged = [] if item is None else taxes_of(item.tax_lines, scope, where)
    untold = _untold(line) and (item is None or any(found.amount for found in charged))
    location = ""
    if line.location_id is not None:
        location = scope.location(line.location_id, f"{where}, location")
    return RefundLine(
        line=number,
        quantity=line.quantity * 1000,
        net=net,
        taxes=tax_lines(_shares(tax, item, scope, where), net, scope, where),
        restock=_restock(line, refund, item),
        location=location,
        tax=("included" if inclusive else "missing") if untold else "told",
    )


def _untold(line: wire.RefundLine) -> bool:
    return line.total_tax is UNSET and line.total_tax_set is None


def _tax(line: wire.RefundLine, scope: Scope, where: str) -> int:
    """The tax given back, 0 where none is told."""
    told = "0" if line.total_tax is UNSET else line.total_tax
    return scope.minor(told, line.total_tax_set, where)


def _shares(tax: int, item: wire.LineItem | None, scope: Scope, where: str) -> list[Tax]:
    """The tax given back, shared over the line's own taxes as they were charged."""
    if tax == 0:
        return []
    charged = taxes_of(item.tax_lines, scope, where) if item is not None else []
    if not any(found.amount for found in charged):
        return [Tax("tax", tax)]
    shares = split(tax, [found.amount for found in charged])
    return [
        Tax(found.title, share, found.rate, found.liable)
        for found, share in zip(charged, shares, strict=True)
    ]


def _restock(line: wire.RefundLine, refund: wire.Refund, item: wire.LineItem | None) -> str:
    """Ours for theirs. `legacy_restock` and payloads without a type put goods back without saying
    whether they had left: had none of the line been fulfilled, it was a cancellation.
    """
    if line.restock_type in ("cancel", "return", "no_restock"):
        return line.restock_type
    if line.restock_type is None and not refund.restock:
        return "no_restock"
    left = item is None or item.fulfillment_status in ("fulfilled", "partial")
    return "return" if left else "cancel"


def _adjustments(refund: wire.Refund, scope: Scope) -> list[RefundAdjustment]:
    """What was given back or kept beyond the lines. Shipping given back stands among the
    adjustments (old), among the shipping lines (new) or in both: then it is one and the same.
    """
    where = f"refund {wire.number(refund.id)}, adjustment"
    found = []
    shipping_seen = False
    for one in refund.order_adjustments:
        net = -scope.minor(one.amount, one.amount_set, where, signed=True)
        tax = -scope.minor(one.tax_amount, one.tax_amount_set, where, signed=True)
        shipping = one.kind == "shipping_refund"
        shipping_seen |= shipping
        found.append(RefundAdjustment("shipping" if shipping else "discrepancy", net, tax))
    if not shipping_seen:
        for line in refund.refund_shipping_lines:
            net = scope.set_minor(line.subtotal_amount_set, where)
            tax = scope.set_minor(line.tax_amount_set, where)
            found.append(RefundAdjustment("shipping", net, tax))
    for kind, bag in (
        ("duty", refund.total_duties_set),
        ("fee", refund.total_additional_fees_set),
    ):
        amount = scope.set_minor(bag, where)
        if amount:
            found.append(RefundAdjustment(kind, amount))
    return found


def _payments(refund: wire.Refund, scope: Scope) -> list[RefundPayment]:
    """Refund transactions with their states; a void let go of money that was never taken."""
    return [
        RefundPayment(
            reference=wire.number(found.id),
            tender=scope.tender(found.gateway, f"refund {wire.number(refund.id)}, payment"),
            amount=amount_of(found, scope),
            state=PAYMENT_STATES.get(found.status, "pending"),
            parent="" if found.parent_id is None else wire.number(found.parent_id),
            card=gift_card(found),
        )
        for found in refund.transactions
        if found.kind == "refund"
    ]


def _inclusive(refund: wire.Refund, adjustments: list[RefundAdjustment], scope: Scope) -> bool:
    """Whether the subtotals of a refund told alone include tax (see the module)."""
    where = f"refund {wire.number(refund.id)}"
    paid = sum(
        amount_of(found, scope)
        for found in refund.transactions
        if found.kind == "refund" and PAYMENT_STATES.get(found.status) != "failure"
    )
    lines = refund.refund_line_items
    tax = sum(_tax(line, scope, where) for line in lines)
    if tax == 0 and not any(_untold(line) for line in lines):
        return False
    subtotal = sum(scope.minor(line.subtotal, line.subtotal_set, where) for line in lines)
    beyond = sum(found.net + found.tax for found in adjustments)
    if tax and paid in (subtotal + beyond, subtotal + tax + beyond):
        return paid == subtotal + beyond
    if not tax and paid >= subtotal + beyond:  # a tax nobody names is in what was paid, or on top
        return paid == subtotal + beyond
    judged = _by_rates(refund, scope) if tax else None
    if judged is None:
        judged = scope.settings.taxes_included
    if judged is None:
        raise TaxUnclear
    return judged


def _by_rates(refund: wire.Refund, scope: Scope) -> bool | None:
    """Judge by the embedded lines' rates: tax is subtotal x rate when it comes on top, and
    subtotal x rate / (1 + rate) when it is inside. None when both or neither fits within a minor
    unit per tax and line.
    """
    on_top = inside = 0
    allowed = 0
    for line in refund.refund_line_items:
        item = line.line_item
        rates = [tax.rate for tax in item.tax_lines] if item is not None else []
        if None in rates or not rates:
            return None
        rate = sum(wire.decimal(found) for found in rates if found is not None)
        subtotal = scope.minor(line.subtotal, line.subtotal_set, "refund line")
        tax = _tax(line, scope, "refund line")
        on_top += abs(tax - round(subtotal * rate))
        inside += abs(tax - round(subtotal * rate / (1 + rate)))
        allowed += len(rates)
    if (on_top <= allowed) == (inside <= allowed):
        return None
    return inside <= allowed
