"""Goods that lay ready for a buyer who did not come: free again, and to be given back. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.canonical.orders import Order
from tillbridge.orchestration.orders.state import (
    OrderState,
    Shipment,
    captured,
    fulfilled,
    shipped,
    unshipped_cancelled,
)

EXPIRED = "pickup_expired"


def overdue(state: OrderState, days: int, now: datetime) -> list[tuple[str, Shipment, datetime]]:
    """Pick-ups that lie ready for longer than `days`: id, newest telling, and when time was up."""
    found = []
    for name, one in sorted(state.shipments.items()):
        if days and one.state == "ready" and one.since is not None:
            end = one.since + timedelta(days=days)
            if end <= now:
                found.append((name, one, end))
    return found


def ready_since(state: OrderState) -> datetime | None:
    """When the oldest of what lies ready was told so; None when nothing does."""
    if not state.shipments:
        return None
    told = [one.since for one in state.shipments.values() if one.state == "ready"]
    return min((since for since in told if since is not None), default=None)


def not_collected(state: OrderState, order: Order) -> dict[str, int]:
    """Thousandths per line of expired pick-ups that did not leave some other way."""
    expired = fulfilled(state, ("expired",))
    if not expired:
        return {}
    gone = shipped(state)
    left = {
        line.line: min(expired.get(line.line, 0), line.quantity - gone.get(line.line, 0))
        for line in order.lines
    }
    return {line: much for line, much in left.items() if much > 0}


def given_up(state: OrderState, order: Order) -> dict[str, int]:
    """Thousandths per line nothing is to be held for: refunded unshipped, or not collected.

    The refund of a pick-up that expired names the same pieces, so they are not added up.
    """
    dropped, expired = unshipped_cancelled(state), not_collected(state, order)
    if not expired:
        return dropped
    return {
        line: max(dropped.get(line, 0), expired.get(line, 0))
        for line in dropped.keys() | expired.keys()
    }


def to_be_refunded(state: OrderState, order: Order) -> NeedsDecision | None:
    """A notice while goods that were not collected are neither refunded nor cancelled."""
    waited = not_collected(state, order)
    if order.cancelled_at is not None or not waited:
        return None
    dropped = unshipped_cancelled(state)
    lines = {line.line: line for line in order.lines}
    rows = []
    amount = 0
    for name, much in sorted(waited.items()):
        open_ = much - dropped.get(name, 0)
        if open_ > 0:
            line = lines[name]
            rows.append(f"{quantity_text(open_)} of {line.product}")
            amount += line.gross * open_ // line.quantity
    if not rows:
        return None
    paid = sum(captured(state).values())
    worth = f"{to_text(amount, order.currency)} {order.currency}"
    who = f"{worth} is to be refunded where it was paid, at {order.channel}"
    return NeedsDecision(
        "pickup_expired",
        f"order {order.number}: {', '.join(rows)} not collected in time and free again; "
        + (who if paid else f"nothing was paid: cancel it at {order.channel}"),
        owner="ecommerce",
        amount=amount if paid else 0,
        currency=order.currency,
    )
