"""Orders rung up at a till: what their receipt decides of them. Pure."""

from __future__ import annotations

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.orders import Order
from tillbridge.orchestration.orders.state import OrderState, repaid, repaid_here, shipped

VOIDED = "void_after_shipping"


def gone_unpaid(state: OrderState, order: Order) -> NeedsDecision | None:
    """The notice of goods that left although their receipt was voided; nothing parks."""
    if not order.sale or order.cancelled_at is None or order.till_paid:
        return None
    if not any(quantity > 0 for quantity in shipped(state).values()):
        return None
    return NeedsDecision(
        "void_after_shipping",
        f"order {order.number}: its receipt {order.sale} was voided and the money given back, but "
        "goods of it have left",
        owner="stores",
        amount=order.total,
        currency=order.currency,
        remedy="have the goods back or the receipt rung again",
    )


def till_money(state: OrderState) -> tuple[dict[str, int], dict[str, int]]:
    """What is booked as received and as given back, by tender: by the order, and by tills with the
    receipts that placed it or gave some of it up.
    """
    received, given_back = dict(state.deposited), dict(state.refunded)
    for paid in () if state.order is None else state.order.till_paid:
        received[paid.tender] = received.get(paid.tender, 0) + paid.amount
    here = repaid_here(state)
    for tender, amount in repaid(state).items():
        given_back[tender] = given_back.get(tender, 0) + amount - here.get(tender, 0)
    return received, given_back
