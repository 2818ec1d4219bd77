"""What the seller owes stores of other entities that took its goods back and paid the buyer. Pure.

The store's till booked a return of its own: income, tax and money of the store's entity. Taking
income and tax out of its books against what the seller owes leaves both books as they should be;
the seller's own reversal follows from the order (`value.py`).
"""

from __future__ import annotations

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.orders import Order
from tillbridge.canonical.registry import Body
from tillbridge.canonical.valued import ReturnRecharged
from tillbridge.orchestration.orders.recognise import differences, valued, valued_taxes
from tillbridge.orchestration.orders.returns import CameBack, is_owed
from tillbridge.orchestration.orders.state import LineValue, OrderState
from tillbridge.orchestration.orders.value import SEP, line_of, tax_key
from tillbridge.orchestration.orders.valuing import When, about


def recharge(state: OrderState, order: Order, found: CameBack, when: When) -> list[Body]:
    """ReturnRecharged per entity and store for what differs from what is booked."""
    target = _target(state, order, found)
    if target == state.recharged:
        return []
    steps: dict[tuple[str, str], list[tuple[str, LineValue]]] = {}
    for key, value in differences(target, state.recharged):
        entity, location, *_ = key.split(SEP)
        steps.setdefault((entity, location), []).append((line_of(key), value))
    state.recharged = target
    return [
        ReturnRecharged(
            lines=tuple(valued(name, value) for name, value in values),
            taxes=valued_taxes([value for _, value in values]),
            location=location,
            **{
                **about(state, order, when, "recharge"),
                "entities": Entities(selling=state.entities.selling, fulfilling=entity),
            },
        )
        for (entity, location), values in steps.items()
    ]


def _target(state: OrderState, order: Order, found: CameBack) -> dict[str, LineValue]:
    """As the till told it: `entity/location/return/index/line` -> value, positive."""
    target: dict[str, LineValue] = {}
    for one in found.at_tills:
        rung = one.rung
        if rung is None or not is_owed(one, state, order):
            continue
        taxes: dict[str, int] = {}
        for tax in rung.taxes:
            taxes[tax_key(tax)] = taxes.get(tax_key(tax), 0) + one.share(tax.amount)
        key = SEP.join((one.entity, one.location, one.return_id, str(one.index), one.line))
        target[key] = LineValue(
            one.quantity,
            one.share(rung.list),
            one.share(rung.discount),
            taxes,
            rung.kind,
            rung.department,
            rung.promotion,
        )
    return target
