"""Buyers who are owed money after the term of their order, as cases that close by themselves.

An order that is cancelled, cheapened or overpaid usually gets its refund told in a moment; what is
still there after the days of the policy (`refund_days`) somebody has to pay back.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.canonical.orders import Order
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.orchestration.orders.owed import owed
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.reconciliation.findings import Settled, settle

QUERIES = load("tillbridge.reconciliation", "owed.sql", "due")
_DECODER = msgspec.json.Decoder(OrderState)


def tell_owed(connection: Connection, now: datetime) -> Settled:
    """Open and close the cases of buyers who wait for their money. The caller commits."""
    found = {}
    for key, body in connection.execute(QUERIES.due, (now,), binary=True):
        state = _DECODER.decode(body)
        if state.order is not None:
            found[key] = _case(state, state.order)
    return settle(connection, "refund_owed", found, now)


def look_at_owed(connection: Connection, now: datetime) -> str:
    """What the schedule runs, and says of it."""
    told = tell_owed(connection, now)
    return f"{told.opened} buyers owed money, {told.closed} not any more"


def _case(state: OrderState, order: Order) -> NeedsDecision:
    amount = owed(state)
    why = "is cancelled" if order.cancelled_at is not None else "takes less than was paid"
    return NeedsDecision(
        "refund_owed",
        f"order {order.number} {why}: {to_text(amount, order.currency)} {order.currency} are owed "
        f"to the buyer and no refund is told; pay them back at {order.channel}",
        owner="ecommerce",
        amount=amount,
        currency=order.currency,
    )
