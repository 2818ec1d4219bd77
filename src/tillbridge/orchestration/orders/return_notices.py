"""What people have to know of returns; nothing parks, and nothing is booked beyond. Pure."""

from __future__ import annotations

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.canonical.orders import Order
from tillbridge.orchestration.orders.owed import unexplained
from tillbridge.orchestration.orders.returns import CameBack
from tillbridge.orchestration.orders.state import OrderState


def beyond_shipment(order: Order, found: CameBack) -> NeedsDecision | None:
    """More came back than left: the shipment may be on its way, and may be wrong."""
    if not found.beyond:
        return None
    beyond = {name: quantity_text(found.beyond[name]) for name in sorted(found.beyond)}
    told = ", ".join(f"{quantity} of {name}" for name, quantity in beyond.items())
    return NeedsDecision(
        "return_beyond_shipment",
        f"order {order.number}: more is told as come back than as shipped ({told}); that part is "
        "not booked until its shipment is told",
        owner="fulfilment",
        details={"beyond": beyond},
    )


def in_other_currency(order: Order, found: CameBack) -> NeedsDecision | None:
    """A missing rate is never 1, so what the till paid stays in the store's books."""
    foreign = [one for one in found.at_tills if one.rung and one.currency != order.currency]
    if not foreign:
        return None
    one = foreign[0]
    return NeedsDecision(
        "return_in_other_currency",
        f"order {order.number} is in {order.currency}, and {one.location} paid back "
        f"{to_text(one.gross, one.currency)} {one.currency} for goods of it; that stays in the "
        "books of the store",
        owner="finance",
        amount=one.gross,
        currency=one.currency,
        details={"return": one.return_id, "line": one.line},
    )


def for_nothing_named(state: OrderState, order: Order) -> NeedsDecision | None:
    """Money went back and nobody says what for: whether it is an allowance, goods or a mistake is
    not for the hub to guess. The cash is booked, the order's deposit stays open by it.
    """
    amount = unexplained(state) if state.refunds else 0
    if not amount or "refund_beyond_payment" in state.noticed:  # one case is enough
        return None
    return NeedsDecision(
        "refund_unexplained",
        f"order {order.number}: {to_text(amount, order.currency)} {order.currency} were given back "
        f"for no goods, shipping or allowance that is named; tell at {order.channel} what they are "
        "for, or cancel what was not to be paid for",
        owner="finance",
        amount=amount,
        currency=order.currency,
    )
