"""An order cancelled and made anew under another number is one wish of one buyer. Pure.

Some channels edit an order by cancelling it and creating another that names it (Adobe Commerce:
`relation_parent_id`). The new order tells the old one (`OrderReplaced`); the old one then wants no
goods and earns nothing more, and hands over what was paid for it and is neither spent nor given
back (`DepositHandedOver`). So money that came in once is booked once: it leaves the old order's
deposit and stands in the new one's. The new order takes over the held goods in the stock book.
"""

from __future__ import annotations

from typing import Any

from tillbridge.canonical.orders import DepositHandedOver, HandedOver, Order, OrderReplaced
from tillbridge.canonical.registry import Body
from tillbridge.orchestration.orders.inherited import Inherited
from tillbridge.orchestration.orders.payments import CAPTURED, purse_of, rows_of
from tillbridge.orchestration.orders.state import (
    LineValue,
    OrderState,
    payment_tables,
    repaid_here,
    taken_here,
)
from tillbridge.orchestration.orders.taking_back import taken_back
from tillbridge.orchestration.orders.value import SEP, earned
from tillbridge.orchestration.orders.valuing import MAPPING, When


def replace(state: OrderState, body: OrderReplaced | DepositHandedOver) -> bool:
    """Fold what one order tells the other; False when it said nothing new."""
    if isinstance(body, OrderReplaced):
        if body.by <= state.replaced_by:  # told of two: whatever came first, the same one counts
            return False
        state.replaced_by = body.by
        return True
    known = state.inherited.get(body.origin)
    if known is not None and body.version <= known.version:
        return False
    amounts = {purse_of(one.tender, one.card): one.amount for one in body.tenders}
    state.inherited[body.origin] = Inherited(body.version, amounts, body.references)
    return True


def tell_replaced(state: OrderState, order: Order, when: When) -> list[Body]:
    """The old order hears once who replaces it."""
    if not order.replaces or order.replaces in (state.replaces, state.key):
        return []
    state.replaces = order.replaces
    told = f"{state.key}/replaces/{state.step('replaces')}"
    return [OrderReplaced(**_about(state, order.replaces, told, when), by=state.key)]


def hand_over(state: OrderState, order: Order, when: When) -> list[Body]:
    """What is left of the money of a replaced order, whenever that changes."""
    target = _left(state) if state.replaced_by else {}
    if target == state.handed:
        return []
    state.handed = target
    number = state.step("handover")
    told = f"{state.key}/handover/{number}"
    return [
        DepositHandedOver(
            **_about(state, state.replaced_by, told, when),
            origin=state.key,
            version=number,
            currency=order.currency,
            tenders=tuple(_told(purse, amount) for purse, amount in sorted(target.items())),
            references=_references(state),
        )
    ]


def _told(purse: str, amount: int) -> HandedOver:
    tender, _, card = purse.partition(SEP)
    return HandedOver(tender, amount, card)


def _references(state: OrderState) -> tuple[str, ...]:
    """Transactions the money came by, also those of orders that this one replaced."""
    own = rows_of(payment_tables(state), CAPTURED)
    older = (name for over in state.inherited.values() for name in over.references)
    return tuple(sorted({*own, *older}))


def _left(state: OrderState) -> dict[str, int]:
    """Money by purse less what was given back and what the old order keeps for what it
    delivered.
    """
    values, spent = earned(state), repaid_here(state)
    keeps = max(_gross(values) - _gross(taken_back(state, values)), 0)
    left: dict[str, int] = {}
    for purse, net in sorted(taken_here(state).items()):
        amount = net + state.handed.get(purse, 0) - spent.get(purse, 0)
        kept = min(keeps, max(amount, 0))
        keeps -= kept
        if amount - kept > 0:
            left[purse] = amount - kept
    return left


def _gross(values: dict[str, LineValue]) -> int:
    return sum(one.list - one.discount + sum(one.taxes.values()) for one in values.values())


def _about(state: OrderState, key: str, name: str, when: When) -> dict[str, Any]:
    """What a fact of one order told to the other carries."""
    return {
        "key": key,
        "id": name,
        "source": "hub",
        "mapping": MAPPING,
        "occurred_at": when.occurred_at,
        "business_date": when.business_date,
        "entities": state.entities,
    }
