"""What a buyer is owed beyond what his order is worth: money that has to go back. Pure.

Paid less given back less what was and will be earned. That is what was overpaid, what an order was
cheapened by after it was paid, and all of a cancelled one; goods that came back count as soon as
their refund is told. It stays in the books as the order's deposit until it is given back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tillbridge.canonical.orders import Order, TaxLine
from tillbridge.orchestration.orders.disputes import withheld
from tillbridge.orchestration.orders.returns import came_back, is_owed
from tillbridge.orchestration.orders.state import LineValue, OrderState, captured, repaid
from tillbridge.orchestration.orders.value import SEP, kept_lines


def owed(state: OrderState) -> int:
    """Minor units the buyer has a claim to; 0 while the order takes all that was paid."""
    order = state.order
    if order is None or order.test or order.tax == "missing":
        return 0
    paid = sum(captured(state).values())
    ended = order.cancelled_at is not None or bool(state.replaced_by)
    if not ended and not state.refunds and paid <= order.total:
        return 0
    return max(_left(state, order, paid), 0)


def unexplained(state: OrderState) -> int:
    """Minor units that went back in refunds which name neither goods nor anything else, and that
    the order as it stands does not account for either; 0 as a rule.
    """
    order = state.order
    if order is None or order.test or order.tax == "missing":
        return 0
    nameless = [one for one in state.refunds.values() if not one.lines and not one.adjustments]
    gave = [pay.amount for one in nameless for pay in one.payments if pay.state == "success"]
    if not any(gave):
        return 0
    return min(sum(gave), max(-_left(state, order, sum(captured(state).values())), 0))


def _left(state: OrderState, order: Order, paid: int) -> int:
    """What of `paid` neither went back nor is or will be earned; negative where more is gone."""
    at_tills = 0
    if state.returns:
        found = came_back(state).at_tills
        at_tills = sum(one.gross for one in found if is_owed(one, state, order))
    worth = sum(line.net + _ours(line.taxes) for line in kept_lines(state, order))
    back = sum(_gross(value) for value in state.reversed.values())
    gone = sum(repaid(state).values()) + at_tills + sum(withheld(state).values())
    return paid - gone - worth + back


def refund_due_at(state: OrderState) -> datetime | None:
    """From when it is a case that he was not paid back; None while he is owed nothing."""
    order = state.order
    if order is None or not owed(state):
        return None
    return _since(order) + timedelta(days=state.terms.refund_days)


def _since(order: Order) -> datetime:
    """When the order became what it is: it was cancelled then, or told so."""
    if order.cancelled_at is not None:
        return order.cancelled_at
    try:
        told = datetime.fromisoformat(order.version)
    except ValueError:
        return order.placed_at
    return told.astimezone(UTC) if told.tzinfo is not None else order.placed_at


def _ours(taxes: Iterable[TaxLine]) -> int:
    return sum(tax.amount for tax in taxes if tax.collector == "seller")


def _gross(value: LineValue) -> int:
    taxes = (amount for key, amount in value.taxes.items() if key.rsplit(SEP, 1)[-1] == "seller")
    return value.list - value.discount + sum(taxes)
