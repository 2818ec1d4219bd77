"""How an order stands, in one word for people. Pure."""

from __future__ import annotations

from tillbridge.canonical.orders import Order
from tillbridge.orchestration.orders.state import (
    OrderState,
    captured,
    fulfilled,
    repaid,
    shipped,
    unshipped_cancelled,
)

STATUSES = (
    "told", "untaxed", "placed", "paid", "short", "backordered", "allocated", "picking", "ready",
    "expired", "part-shipped", "shipped", "collected", "delivered", "refunded", "cancelled",
    "replaced",
)  # fmt: skip
"""told: only things about the order are known, not the order. untaxed: its tax is being worked out,
nothing of it goes out before. ready: all that is left of it waits for the buyer. expired: he did
not come for some of it, and nothing else is on its way. replaced: another order was made in its
place.
"""


def status_of(state: OrderState) -> str:
    """One of STATUSES."""
    order = state.order
    if order is None:
        return "told"
    if state.replaced_by:
        return "replaced"
    if order.cancelled_at is not None:
        return "cancelled"
    paid = sum(captured(state).values())
    if paid and sum(repaid(state).values()) >= paid:
        return "refunded"
    gone = shipped(state)
    left = _left(state, order, gone)
    if any(gone.values()):
        return "part-shipped" if left else _gone(state)
    if order.tax == "missing":
        return "untaxed"
    if state.hold in ("short", "backordered"):
        return state.hold
    return _under_way(state, left) or ("paid" if paid >= order.total and order.total else "placed")


def _left(state: OrderState, order: Order, gone: dict[str, int]) -> dict[str, int]:
    """Thousandths per line that neither left nor were cancelled."""
    cancelled = unshipped_cancelled(state)
    left: dict[str, int] = {}
    for line in order.lines:
        if line.ships and line.kind == "goods":
            much = line.quantity - gone.get(line.line, 0) - cancelled.get(line.line, 0)
            if much > 0:
                left[line.line] = much
    return left


def _gone(state: OrderState) -> str:
    """All of it left; by the furthest behind of its parcels."""
    there = {one.state for one in state.shipments.values() if one.lines}
    if "shipped" in there:
        return "shipped"
    return "delivered" if "delivered" in there else "collected"


def _under_way(state: OrderState, left: dict[str, int]) -> str:
    """What became of it before anything left, "" when nobody has told."""
    if not state.shipments:
        return ""
    ready = fulfilled(state, ("ready",))
    if left and all(ready.get(line, 0) >= much for line, much in left.items()):
        return "ready"
    states = {one.state for one in state.shipments.values()}
    if states & {"picked", "packed", "ready"}:
        return "picking"
    if "allocated" in states:
        return "allocated"
    return "expired" if "expired" in states else ""
