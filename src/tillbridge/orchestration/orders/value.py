"""How much of an order is earned, computed from the evidence alone. Pure.

Earned: goods by what was shipped (or delivered, where the terms say so), cumulatively, so that the
last part takes the remainder; shipping, fees and the like with the first shipment; orders without
goods to ship, and gift cards, when paid; on account such orders as soon as they are placed.
What was refunded as cancelled was never sold: the rest of its line is what remains to be earned,
so that paid = earned + given back to the cent. An order that is cancelled before anything shipped
earns only what the shop kept of a full payment.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tillbridge.canonical.orders import Order, OrderLine, TaxLine
from tillbridge.canonical.returns import RefundAdjustment, RefundLine
from tillbridge.orchestration.orders.state import (
    LineValue,
    OrderState,
    captured,
    earning,
    fulfilled,
)
from tillbridge.orchestration.orders.substitution import Plan, by_product
from tillbridge.orchestration.orders.tax import UNTOLD

SEP = "\x1f"
# adjustments that give back an amount of their own kind; all others are a further discount
_OWN_KIND = ("shipping", "duty", "fee")


class Standing(msgspec.Struct):
    """Where an order stands. gone: thousandths per line that left or, by its terms, arrived.
    paid: the whole total came in. cancelled: what refunds took out of the order before it left.
    begun: whether amounts without goods are earned. unshipped: begun although nothing shipped,
    because all of it was cancelled.
    """

    gone: dict[str, int]
    paid: bool
    cancelled: dict[str, LineValue]
    begun: bool
    unshipped: bool


def tax_key(tax: TaxLine) -> str:
    """Identity of a tax inside an order: jurisdiction, code and who collects it."""
    return SEP.join((tax.jurisdiction, tax.code, tax.collector))


def part(amount: int, quantity: int, of: int) -> int:
    """Cumulative share of an amount for `quantity` out of `of`; the last part has the rest."""
    if of == 0 or quantity >= of:
        return amount
    share = abs(amount) * quantity // of
    return share if amount >= 0 else -share


def standing(state: OrderState, order: Order) -> Standing:
    """Read the evidence once."""
    gone = fulfilled(state, earning(state))
    left = any(quantity > 0 for quantity in gone.values())
    given_up = (order.cancelled_at is not None or bool(state.replaced_by)) and not left
    cancelled = _cancelled(state, order, all_kinds=given_up)
    paid = order.total <= sum(captured(state).values())
    to_ship = [line for line in order.lines if line.ships and line.kind == "goods"]
    if left:
        return Standing(gone, paid, cancelled, begun=True, unshipped=False)
    if state.replaced_by:
        return Standing(gone, False, cancelled, begun=False, unshipped=False)
    if not to_ship and not given_up:
        begun = paid or (state.account is not None and state.account.days is not None)
        return Standing(gone, paid, cancelled, begun=begun, unshipped=False)
    sold = to_ship or [line for line in order.lines if line.kind != "shipping" and line.quantity]
    nothing_left = bool(sold) and all(
        line.line in cancelled and cancelled[line.line].quantity >= line.quantity for line in sold
    )
    over = paid and nothing_left
    return Standing(gone, paid, cancelled, begun=over, unshipped=over)


def earned(state: OrderState) -> dict[str, LineValue]:
    """Cumulative value earned per line of the newest version."""
    order = state.order
    if order is None or _untouched(state, order):
        return {}
    now = standing(state, order)
    sold_cards = now.begun or (now.paid and order.cancelled_at is None)
    values: dict[str, LineValue] = {}
    instead = by_product(state, order, earning(state)) if state.shipments else {}
    for line in order.lines:
        rest = _rest(line, now.cancelled.get(line.line))
        if line.line in instead and rest.quantity:
            values |= _as_it_left(line.line, rest, instead[line.line])
            continue
        if line.ships and line.kind == "goods" and rest.quantity:
            quantity = min(now.gone.get(line.line, 0), rest.quantity)
            value = _share(rest, quantity) if quantity > 0 else None
        elif line.kind == "gift_card":
            value = rest if sold_cards else None
        else:
            value = rest if now.begun else None
        if value is not None and _worth(value):
            values[line.line] = value
    return _less_shipping(state, order, values) if now.unshipped else values


def line_of(key: str) -> str:
    """The order's line of a key of what was earned or taken back; what stands before it tells a
    substitute, or a refund.
    """
    return key.rsplit(SEP, maxsplit=1)[-1]


def _as_it_left(name: str, rest: LineValue, plan: Plan) -> dict[str, LineValue]:
    """Value of a line by what left of it: under its name what was ordered, under product and name
    each substitute. Together they are what the line would be worth without substitutes.
    """
    values = {}
    before = 0
    for product in sorted(plan):
        upto = min(before + plan[product], rest.quantity)
        value = minus(_share(rest, upto), _share(rest, before))
        if _worth(value):
            values[SEP.join((product, name)) if product else name] = value
        before = upto
    return values


def _untouched(state: OrderState, order: Order) -> bool:
    """Whether nothing can be earned yet, seen at a glance: goods to ship, and none went, came back
    or was given up; and no gift card, which is earned when paid.
    """
    if state.shipments or state.refunds or order.cancelled_at is not None:
        return False
    kinds = {line.kind for line in order.lines if line.ships or line.kind == "gift_card"}
    return "goods" in kinds and "gift_card" not in kinds


def _worth(value: LineValue) -> bool:
    return bool(value.quantity or value.list or value.discount or any(value.taxes.values()))


def _rest(line: OrderLine, cancelled: LineValue | None) -> LineValue:
    """A whole line less what was cancelled of it."""
    taxes: dict[str, int] = {}
    for tax in line.taxes:
        taxes[tax_key(tax)] = taxes.get(tax_key(tax), 0) + tax.amount
    whole = LineValue(
        line.quantity,
        line.list,
        line.discount,
        taxes,
        line.kind,
        line.department,
        line.promotion,
        line.card,
    )
    return whole if cancelled is None else minus(whole, cancelled)


def minus(value: LineValue, other: LineValue) -> LineValue:
    """What is left of a value without another."""
    taxes = dict(value.taxes)
    for key, amount in other.taxes.items():
        taxes[key] = taxes.get(key, 0) - amount
    return msgspec.structs.replace(
        value,
        quantity=value.quantity - other.quantity,
        list=value.list - other.list,
        discount=value.discount - other.discount,
        taxes={key: amount for key, amount in taxes.items() if amount},
    )


def plus(value: LineValue, more: LineValue) -> LineValue:
    """Two values together."""
    return minus(value, negative(more))


def apart(value: LineValue, pieces: Sequence[tuple[str, int]]) -> dict[str, LineValue]:
    """A value by product, for pieces (product, thousandths) that make up all of its quantity."""
    values: dict[str, LineValue] = {}
    before = 0
    for product, much in pieces:
        upto = before + much
        share = minus(_share(value, upto), _share(value, before))
        values[product] = plus(values[product], share) if product in values else share
        before = upto
    return values


def _share(value: LineValue, quantity: int) -> LineValue:
    """Value of a part of a line."""
    return msgspec.structs.replace(
        value,
        quantity=quantity,
        list=part(value.list, quantity, value.quantity),
        discount=part(value.discount, quantity, value.quantity),
        taxes={key: part(tax, quantity, value.quantity) for key, tax in value.taxes.items()},
    )


def _less_shipping(
    state: OrderState, order: Order, values: dict[str, LineValue]
) -> dict[str, LineValue]:
    """Nothing left the house: freight given back was never earned, instead of being reversed."""
    first = next((line.line for line in order.lines if line.kind == "shipping"), None)
    if first is None or first not in values:
        return values
    for number in sorted(state.refunds):
        for adjustment in state.refunds[number].adjustments:
            if adjustment.kind == "shipping":
                values[first] = minus(values[first], adjusted(state, adjustment))
    rest = values[first]
    if not (rest.list - rest.discount or any(rest.taxes.values())):
        del values[first]
    return values


def _cancelled(state: OrderState, order: Order, *, all_kinds: bool) -> dict[str, LineValue]:
    """What refunds took out of lines that had not shipped: quantity, net and taxes as refunded.

    all_kinds: the order was cancelled before anything shipped, so nothing refunded ever left.
    """
    values: dict[str, LineValue] = {}
    lines = {line.line: line for line in order.lines}
    for number in sorted(state.refunds):
        for refunded in state.refunds[number].lines:
            line = lines.get(refunded.line)
            if line is None or not (all_kinds or refunded.restock == "cancel"):
                continue
            before = values.get(refunded.line, LineValue())
            quantity = min(refunded.quantity, line.quantity - before.quantity)
            if quantity > 0:
                step = refunded_value(line, refunded, before.quantity, quantity)
                values[refunded.line] = minus(before, negative(step))
    return values


def negative(value: LineValue) -> LineValue:
    """The value with its signs turned."""
    return minus(LineValue(), value)


def refunded_value(line: OrderLine, refunded: RefundLine, before: int, quantity: int) -> LineValue:
    """Value of a refunded part; list prices are shared cumulatively, `before` of them already."""
    if refunded.tax in UNTOLD:
        refunded = as_sold(line, refunded, before)
    net = part(refunded.net, quantity, refunded.quantity)
    listed = part(line.list, before + quantity, line.quantity) - part(
        line.list, before, line.quantity
    )
    taxes: dict[str, int] = {}
    for tax in refunded.taxes:
        key = tax_key(tax)
        taxes[key] = taxes.get(key, 0) + part(tax.amount, quantity, refunded.quantity)
    booked = (line.kind, line.department, line.promotion, line.card)
    return LineValue(quantity, listed, listed - net, taxes, *booked)


def as_sold(line: OrderLine, refunded: RefundLine, before: int) -> RefundLine:
    """A refunded line that names no tax with its part of the tax of the sale, cumulatively; less in
    proportion where less was given back than was paid.
    """

    def sold(amount: int) -> int:
        upto = part(amount, before + refunded.quantity, line.quantity)
        return upto - part(amount, before, line.quantity)

    inside = refunded.tax == "included"
    whole = sold(line.net) + (sum(sold(tax.amount) for tax in line.taxes) if inside else 0)
    taxes = tuple(
        msgspec.structs.replace(tax, amount=part(sold(tax.amount), refunded.net, whole))
        for tax in line.taxes
    )
    net = refunded.net - (sum(tax.amount for tax in taxes) if inside else 0)
    return msgspec.structs.replace(refunded, net=net, taxes=taxes, tax="told")


def adjusted(state: OrderState, adjustment: RefundAdjustment) -> LineValue:
    """Freight, duties and fees given back lower their own income; all else is a discount more."""
    taxes = {_adjustment_tax_key(state): adjustment.tax} if adjustment.tax else {}
    if adjustment.kind in _OWN_KIND:
        return LineValue(0, adjustment.net, 0, taxes, adjustment.kind)
    return LineValue(0, 0, -adjustment.net, taxes, "goods")


def _adjustment_tax_key(state: OrderState) -> str:
    """An adjustment's tax names no jurisdiction: the shipping line's first tax, else any line's."""
    lines = state.order.lines if state.order is not None else ()
    for line in sorted(lines, key=lambda one: one.kind != "shipping"):
        for tax in line.taxes:
            return tax_key(tax)
    return SEP.join(("unknown", "", "seller"))


def kept_lines(state: OrderState, order: Order) -> tuple[OrderLine, ...]:
    """What is still wanted of an order's lines, which is what its sales order is to say: all less
    what was cancelled; of a cancelled or replaced order what went out and what was earned.
    """
    if order.cancelled_at is not None or state.replaced_by:
        now, values = standing(state, order), earned(state)
        kept = []
        for line in order.lines:
            rest, value = _rest(line, now.cancelled.get(line.line)), values.get(line.line)
            went = min(now.gone.get(line.line, 0), rest.quantity)
            if line.ships and line.kind == "goods" and went > (value.quantity if value else 0):
                value = _share(rest, went)
            if value is not None:
                kept.append(_as_line(line, value))
        return tuple(kept)
    if not state.refunds:
        return order.lines
    cancelled = standing(state, order).cancelled
    rests = ((line, _rest(line, cancelled.get(line.line))) for line in order.lines)
    return tuple(_as_line(line, rest) for line, rest in rests if _worth(rest))


def _as_line(line: OrderLine, value: LineValue) -> OrderLine:
    """The line with another quantity and value; itself when neither differs."""
    if value == _rest(line, None):
        return line
    of = {tax_key(tax): tax for tax in line.taxes}
    taxes = []
    for key, amount in value.taxes.items():
        jurisdiction, code, collector = key.split(SEP)
        known = of.get(key) or TaxLine(code, jurisdiction, amount, collector=collector)
        taxes.append(msgspec.structs.replace(known, amount=amount, base=0))
    return msgspec.structs.replace(
        line,
        quantity=value.quantity,
        list=value.list,
        discount=value.discount,
        taxes=tuple(taxes),
    )
