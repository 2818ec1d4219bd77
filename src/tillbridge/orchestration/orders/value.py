"""How much of an order is earned and taken back, computed from the evidence alone. Pure.

Earned: goods by what was shipped, cumulatively (the last part takes the remainder); shipping, fees
and the like with the first shipment; orders without goods to ship, and gift cards, when paid.
Taken back: refunded lines that were earned; a line refunded before it shipped is never earned.
"""

from __future__ import annotations

from tillbridge.canonical.orders import OrderLine, TaxLine
from tillbridge.canonical.returns import RefundAdjustment, RefundLine
from tillbridge.orchestration.orders.state import LineValue, OrderState, captured, shipped

_SEP = "\x1f"
# adjustments that lower an income of their own; any other is a further discount
OWN_LINE = ("shipping", "duty", "fee")


def tax_key(tax: TaxLine) -> str:
    """Identity of a tax inside an order: jurisdiction, code and who collects it."""
    return _SEP.join((tax.jurisdiction, tax.code, tax.collector))


def part(amount: int, quantity: int, of: int) -> int:
    """Cumulative share of an amount for `quantity` out of `of`; the last part has the rest."""
    if of == 0 or quantity >= of:
        return amount
    share = abs(amount) * quantity // of
    return share if amount >= 0 else -share


def earned(state: OrderState) -> dict[str, LineValue]:
    """Cumulative value earned per line of the newest version."""
    order = state.order
    if order is None:
        return {}
    gone = shipped(state)
    paid = order.total <= sum(captured(state).values()) and order.cancelled_at is None
    to_ship = any(line.ships and line.kind == "goods" for line in order.lines)
    started = any(quantity > 0 for quantity in gone.values()) if to_ship else paid
    values: dict[str, LineValue] = {}
    for line in order.lines:
        if line.ships and line.kind == "goods":
            quantity = min(gone.get(line.line, 0), line.quantity)
        elif line.kind == "gift_card":
            quantity = line.quantity if paid else 0
        else:
            quantity = line.quantity if started else 0
        if quantity > 0 or (started and line.quantity == 0):
            values[line.line] = line_value(line, quantity)
    return values


def line_value(line: OrderLine, quantity: int) -> LineValue:
    """Value of a part of a line."""
    taxes: dict[str, int] = {}
    for tax in line.taxes:
        key = tax_key(tax)
        taxes[key] = taxes.get(key, 0) + part(tax.amount, quantity, line.quantity)
    return LineValue(
        quantity,
        part(line.list, quantity, line.quantity),
        part(line.discount, quantity, line.quantity),
        taxes,
    )


def taken_back(state: OrderState, earned_now: dict[str, LineValue]) -> dict[str, LineValue]:
    """Cumulative value to be reversed, keyed `refund/line`, for what is earned by now."""
    values: dict[str, LineValue] = {}
    left = {line: value.quantity for line, value in earned_now.items()}
    for number in sorted(state.refunds):
        refund = state.refunds[number]
        for index, refunded in enumerate(refund.lines):
            if refunded.restock == "cancel":
                continue
            quantity = min(refunded.quantity, left.get(refunded.line, 0))
            if quantity <= 0:
                continue
            left[refunded.line] -= quantity
            values[_SEP.join((number, str(index), refunded.line))] = _reversal(
                state, refunded, quantity
            )
        if earned_now:
            for index, adjustment in enumerate(refund.adjustments):
                values[_SEP.join((number, f"a{index}", adjustment.kind))] = _adjusted(
                    state, adjustment
                )
    return values


def _reversal(state: OrderState, refunded: RefundLine, quantity: int) -> LineValue:
    line = state.line(refunded.line)
    net = part(refunded.net, quantity, refunded.quantity)
    listed = net if line is None else part(line.list, quantity, line.quantity)
    taxes: dict[str, int] = {}
    for tax in refunded.taxes:
        key = tax_key(tax)
        taxes[key] = taxes.get(key, 0) + part(tax.amount, quantity, refunded.quantity)
    return LineValue(quantity, listed, listed - net, taxes)


def _adjusted(state: OrderState, adjustment: RefundAdjustment) -> LineValue:
    """Shipping given back lowers shipping income; goodwill is a further discount on goods."""
    taxes = {_adjustment_tax_key(state): adjustment.tax} if adjustment.tax else {}
    if adjustment.kind in OWN_LINE:
        return LineValue(0, adjustment.net, 0, taxes)
    return LineValue(0, 0, -adjustment.net, taxes)


def _adjustment_tax_key(state: OrderState) -> str:
    """An adjustment's tax names no jurisdiction: the shipping line's first tax, else any line's."""
    lines = state.order.lines if state.order is not None else ()
    for line in sorted(lines, key=lambda one: one.kind != "shipping"):
        for tax in line.taxes:
            return tax_key(tax)
    return _SEP.join(("unknown", "", "seller"))


def kind_of(state: OrderState, reference: str) -> tuple[str, OrderLine | None]:
    """Kind and order line of a reversal's key (`refund/index/line` or an adjustment's kind)."""
    _, index, name = reference.split(_SEP)
    if index.startswith("a"):
        return (name if name in OWN_LINE else "goods"), None
    line = state.line(name)
    return (line.kind if line is not None else "goods"), line
