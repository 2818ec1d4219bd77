"""What leaves instead of what was ordered, and whether the buyer's terms allow it. Pure.

A line is a plan of pieces: of the product ordered, and of what was told to be sent instead. What a
parcel names left of that product; pieces of which a parcel says only the line are taken from the
plan, what was ordered first, parcel by parcel in the order of their ids.

The channel's price stands: how much the buyer pays is told by the order's versions and refunds. A
notice names what is still to be given back (or asked for) because a substitute has another price.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.canonical.orders import Order, OrderLine
from tillbridge.canonical.shipments import LineSubstituted
from tillbridge.orchestration.orders.state import (
    GONE,
    OrderState,
    Substitution,
    unshipped_cancelled,
)

REFUSED, PRICED = "substitution_refused", "substitution_price"
ORDERED = ""
"""Stands for the product that was ordered."""
Plan = dict[str, int]  # product -> thousandths of the line's unit


class Left(msgspec.Struct, frozen=True):
    """Pieces of one product that left in a parcel. thousandths; product ORDERED or a substitute."""

    shipment: str
    state: str
    line: str
    product: str
    location: str
    quantity: int


def substitute(state: OrderState, body: LineSubstituted) -> bool:
    """Keep the newest telling of a substitution; False when it said nothing new."""
    told = Substitution(
        body.version, body.line, body.product, body.quantity, body.net, body.location
    )
    known = state.substitutions.get(body.substitution)
    if known is not None and _rank(told) <= _rank(known):
        return False
    state.substitutions[body.substitution] = told
    return True


def _rank(told: Substitution) -> tuple[str, bytes]:
    return told.version, msgspec.json.encode(told)


def substitutes(state: OrderState, line: OrderLine) -> list[Substitution]:
    """What stands in for a line by the terms of the order, never more than it has."""
    if state.terms.substitution == "never":
        return []
    left = line.quantity
    found = []
    for name in sorted(state.substitutions):
        told = state.substitutions[name]
        much = min(told.quantity, left)
        if told.line == line.line and told.product != line.product and much > 0:
            left -= much
            found.append(msgspec.structs.replace(told, quantity=much))
    return found


def planned(state: OrderState, line: OrderLine) -> Plan:
    """Pieces a line should be served with, what was ordered first."""
    instead = substitutes(state, line)
    plan = {ORDERED: line.quantity - sum(told.quantity for told in instead)}
    for told in instead:
        plan[told.product] = plan.get(told.product, 0) + told.quantity
    return plan


def left_as(state: OrderState, order: Order) -> list[Left]:
    """Every piece that left, by parcel, line and product."""
    gone = [
        (name, parcel) for name, parcel in sorted(state.shipments.items()) if parcel.state in GONE
    ]
    plans: dict[str, Plan] = {}
    products: dict[str, str] = {}
    for line in order.lines:
        plans[line.line], products[line.line] = planned(state, line), line.product
    found = []
    for name, parcel in gone:
        for told in parcel.lines:
            if told.product and told.line in plans and told.product != products[told.line]:
                _take(plans[told.line], told.product, told.quantity)
                row = (told.line, told.product, parcel.location, told.quantity)
                found.append(Left(name, parcel.state, *row))
    for name, parcel in gone:
        for told in parcel.lines:
            if told.line in plans and told.product in ("", products[told.line]):
                named = bool(told.product)
                for product, much in _from(plans[told.line], told.quantity, named=named):
                    row = (told.line, product, parcel.location, much)
                    found.append(Left(name, parcel.state, *row))
    return found


def _take(plan: Plan, product: str, quantity: int) -> None:
    """Pieces a parcel names are those planned of it; beyond them, of what was ordered."""
    planned_ = min(plan.get(product, 0), quantity)
    if planned_:
        plan[product] -= planned_
    plan[ORDERED] -= min(quantity - planned_, plan[ORDERED])


def _from(plan: Plan, quantity: int, *, named: bool) -> Iterator[tuple[str, int]]:
    """Pieces out of a plan; what it does not hold is of what was ordered."""
    out: Plan = {}
    for product in (ORDERED,) if named else list(plan):
        much = min(plan[product], quantity)
        if much > 0:
            plan[product] -= much
            quantity -= much
            out[product] = much
    if quantity > 0:
        out[ORDERED] = out.get(ORDERED, 0) + quantity
    yield from out.items()


def by_product(state: OrderState, order: Order, states: Collection[str] = GONE) -> dict[str, Plan]:
    """Thousandths that left by line and product, of parcels in these states; only lines of which
    something else than ordered left.
    """
    found: dict[str, Plan] = {}
    for left in left_as(state, order):
        if left.state in states:
            plan = found.setdefault(left.line, {})
            plan[left.product] = plan.get(left.product, 0) + left.quantity
    return {line: plan for line, plan in found.items() if plan.keys() - {ORDERED}}


def still_wanted(state: OrderState, line: OrderLine, left: int, gone: Plan) -> Plan:
    """What of a line is still to be sent, by product: `left` thousandths of it in all.

    gone: what left already. What was given up is taken off what was ordered, then off the rest.
    """
    plan = {
        product: max(much - gone.get(product, 0), 0)
        for product, much in planned(state, line).items()
    }
    beyond = sum(plan.values()) - left
    for product in list(plan):
        cut = min(plan[product], max(beyond, 0))
        plan[product] -= cut
        beyond -= cut
    return {product: much for product, much in plan.items() if much > 0}


def refused(state: OrderState, order: Order) -> NeedsDecision | None:
    """A notice while something is told as sent instead that the terms do not allow."""
    if state.terms.substitution != "never" or order.cancelled_at is not None:
        return None
    lines = {line.line: line for line in order.lines}
    rows = [
        f"line {told.line}: {told.product} instead of {lines[told.line].product}"
        for _, told in sorted(state.substitutions.items())
        if told.quantity > 0 and told.line in lines
    ]
    if not rows:
        return None
    return NeedsDecision(
        "substitution_refused",
        f"order {order.number}: {', '.join(rows)}, but {order.channel} allows no substitutes; send "
        "what was ordered, or have the order changed at the channel",
        owner="fulfilment",
    )


def priced(state: OrderState, order: Order) -> NeedsDecision | None:
    """A notice while the buyer has not got back (or paid) what a substitute costs less (or more).

    With `lower_price` nobody is asked to pay more.
    """
    if not state.substitutions or order.cancelled_at is not None:
        return None
    owed = sum(_owed(state, line) for line in order.lines)
    if owed > 0:
        owed = max(owed - _given_back(state, order), 0)
    elif state.terms.substitution != "as_told":
        owed = 0
    if not owed:
        return None
    worth = f"{to_text(abs(owed), order.currency)} {order.currency} before tax"
    words = f"{worth} is to be {'given back to' if owed > 0 else 'asked of'} the buyer"
    return NeedsDecision(
        "substitution_price",
        f"order {order.number}: what left instead has another price; {words} at {order.channel}, "
        "by a refund or a changed order",
        owner="ecommerce",
        amount=abs(owed),
        currency=order.currency,
    )


def _owed(state: OrderState, line: OrderLine) -> int:
    """What the substitutes of a line cost less than it did when the first was told, and it does not
    cost less already; minor units without tax.
    """
    told = [one for one in substitutes(state, line) if one.net is not None]
    if not told:
        return 0
    net, quantity = state.prices.setdefault(line.line, (line.net, line.quantity))
    less = sum(net * one.quantity // quantity - (one.net or 0) for one in told)
    return less - (net * line.quantity // quantity - line.net)


def _given_back(state: OrderState, order: Order) -> int:
    """What refunds gave back without goods, and of lines that were served with substitutes."""
    lines = {line.line for line in order.lines if substitutes(state, line)}
    refunds = state.refunds.values()
    goods = sum(one.net for refund in refunds for one in refund.lines if one.line in lines)
    return goods + sum(
        one.net for refund in refunds for one in refund.adjustments if one.kind != "shipping"
    )


def whole_substitute(state: OrderState, line: OrderLine) -> str:
    """The one product a line was served with instead; "" when it was ordered, or mixed."""
    found = {told.product: told.quantity for told in substitutes(state, line)}
    kept = line.quantity - unshipped_cancelled(state).get(line.line, 0)
    (product, much), *more = [*found.items(), ("", 0)]
    return product if len(more) == 1 and much >= kept else ""
