"""How much of what was earned is taken back again, computed from the evidence alone. Pure.

Refunded lines that were earned, what tills gave back for them, and adjustments; a line refunded
before it shipped was never earned and is not reversed.
"""

from __future__ import annotations

import msgspec

from tillbridge.canonical.orders import Order, OrderLine, TaxLine
from tillbridge.canonical.returns import RefundAdjustment, RefundLine
from tillbridge.orchestration.orders.returns import AtTill, CameBack, came_back, is_owed
from tillbridge.orchestration.orders.state import LineValue, OrderState
from tillbridge.orchestration.orders.substitution import ORDERED, by_product
from tillbridge.orchestration.orders.tax import UNTOLD, within_sale
from tillbridge.orchestration.orders.value import (
    SEP,
    Standing,
    adjusted,
    apart,
    line_of,
    part,
    plus,
    refunded_value,
    standing,
    tax_key,
)


def taken_back(
    state: OrderState, earned_now: dict[str, LineValue], *, waits: bool = False
) -> dict[str, LineValue]:
    """Cumulative value to be reversed, keyed `refund/index/line`, for what is earned by now. Where
    a line was served with substitutes the product stands before the line.

    waits: what names no tax is left out until a tax service has answered.
    """
    order = state.order
    if order is None or not (state.refunds or state.returns):
        return {}
    now = standing(state, order)
    given_up = order.cancelled_at is not None and not any(now.gone.values())
    values: dict[str, LineValue] = {}
    left: dict[str, int] = {}
    sold: dict[str, LineValue] = {}
    for key, value in earned_now.items():
        left[line_of(key)] = left.get(line_of(key), 0) + value.quantity
        sold[line_of(key)] = plus(sold.get(line_of(key), LineValue()), value)
    lines = {line.line: line for line in order.lines}
    found = came_back(state)
    sent = _sent(state, order, found)
    back = _at_tills(state, order, found, left, sent, values)
    for number in sorted(state.refunds):
        refund = state.refunds[number]
        for index, refunded in enumerate(refund.lines):
            line = lines.get(refunded.line)
            untold = waits and refunded.tax in UNTOLD
            if line is None or given_up or untold or refunded.restock == "cancel":
                continue
            before = back.get(line.line, 0)
            quantity = min(refunded.quantity, left.get(line.line, 0) - before)
            if quantity <= 0:
                continue
            back[line.line] = before + quantity
            key = SEP.join((number, str(index), refunded.line))
            step = refunded_value(line, refunded, before, quantity)
            if refunded.tax == "calculated":
                step = within_sale(step, sold[line.line], _already(values, line.line))
            values |= _as_it_left(key, step, sent.get(line.line, []), before)
        if now.begun:
            values |= _adjustments(state, number, now)
    return values


Sent = dict[str, list[tuple[str, int]]]
"""Pieces of lines that were served with substitutes, in the order in which they come back:
(product, thousandths); ORDERED for what was ordered.
"""


def _sent(state: OrderState, order: Order, found: CameBack) -> Sent:
    """As tills took them back, as receipts and refunds told them, then whatever else left."""
    sent: Sent = {}
    for line, left in (by_product(state, order) if state.shipments else {}).items():
        ordered = state.line(line)
        told = [(one.sent, one.quantity) for one in found.at_tills if one.line == line]
        told += [(one.product, one.quantity) for one in found.pieces if one.line == line]
        told += [(k[1], much) for k, much in sorted(found.restocked.items()) if k[0] == line]
        rest = dict(left)
        pieces = []
        for name, much in told:
            product = ORDERED if ordered is not None and name == ordered.product else name
            rest[product] = rest.get(product, 0) - much
            pieces.append((product, much))
        sent[line] = pieces + [(product, rest[product]) for product in sorted(rest)]
    return sent


def _as_it_left(
    key: str, value: LineValue, sent: list[tuple[str, int]], before: int
) -> dict[str, LineValue]:
    """A value taken back, by the products that its pieces left as; `before` thousandths of the line
    were taken back already.
    """
    pieces, skip, rest = [], before, value.quantity
    for product, much in sent:
        passed = min(skip, much)
        part_ = min(much - passed, rest)
        skip -= passed
        rest -= part_
        if part_ > 0:
            pieces.append((product, part_))
    if not pieces or rest:
        return {key: value}
    head, _, line = key.rpartition(SEP)
    return {
        SEP.join((head, product, line)) if product else key: share
        for product, share in apart(value, pieces).items()
    }


def _adjustments(state: OrderState, number: str, now: Standing) -> dict[str, LineValue]:
    return {
        SEP.join((number, f"a{index}", adjustment.kind)): adjusted(state, adjustment)
        for index, adjustment in enumerate(state.refunds[number].adjustments)
        if _counts(adjustment, now)
    }


def _at_tills(
    state: OrderState,
    order: Order,
    found: CameBack,
    left: dict[str, int],
    sent: Sent,
    values: dict[str, LineValue],
) -> dict[str, int]:
    """What tills took back by line: no refund takes that back again. The seller's own tills booked
    its value; a store of another entity is owed what it paid (`recharge.py`), so that is reversed.
    """
    back: dict[str, int] = {}
    for one in found.at_tills:
        line, before = state.line(one.line), back.get(one.line, 0)
        quantity = min(one.quantity, left.get(one.line, 0) - before)
        if line is None or quantity <= 0:
            continue
        back[one.line] = before + quantity
        if not is_owed(one, state, order):
            continue
        taxes = _taxes_at_till(line, one, before, quantity)
        net = part(one.gross, quantity, one.quantity) - sum(tax.amount for tax in taxes)
        given = RefundLine(one.line, quantity, net, taxes)
        key = SEP.join((f"till {one.return_id}", str(one.index), one.line))
        step = refunded_value(line, given, before, quantity)
        values |= _as_it_left(key, step, sent.get(one.line, []), before)
    return back


def _taxes_at_till(line: OrderLine, one: AtTill, before: int, quantity: int) -> tuple[TaxLine, ...]:
    """The seller's taxes in what a till paid: as the till says where it tells the same taxes, else
    their share of the line, `before` thousandths of which were taken back already.
    """
    charged = [tax for tax in line.taxes if tax.collector == "seller"]
    told: dict[str, int] = {}
    for tax in one.rung.taxes if one.rung is not None else ():
        told[tax_key(tax)] = told.get(tax_key(tax), 0) + one.share(tax.amount)
    if told.keys() == {tax_key(tax) for tax in charged} and len(told) == len(charged):
        amounts = [part(told[tax_key(tax)], quantity, one.quantity) for tax in charged]
    else:
        whole, upto = line.quantity, before + quantity
        amounts = [part(t.amount, upto, whole) - part(t.amount, before, whole) for t in charged]
    pairs = zip(charged, amounts, strict=True)
    return tuple(msgspec.structs.replace(tax, amount=amount) for tax, amount in pairs)


def _already(values: dict[str, LineValue], line: str) -> LineValue:
    """What other refunds took back of a line."""
    total = LineValue()
    for key, value in values.items():
        if key.rsplit(SEP, maxsplit=1)[-1] == line:
            total = plus(total, value)
    return total


def _counts(adjustment: RefundAdjustment, now: Standing) -> bool:
    """Money cannot be kept that was never paid; freight of an order that never left is not
    reversed but never earned.
    """
    if adjustment.kind == "shipping":
        return not now.unshipped
    return now.paid or adjustment.net + adjustment.tax > 0
