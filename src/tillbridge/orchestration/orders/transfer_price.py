"""What the seller owes other entities whose goods served an order: the transfer price. Pure.

It is a share of what the goods were sold for without tax, by the policies of the order
(`transfer_price`). Goods count for the entity at whose location they left; what came back into that
entity's stock, by a parcel or at a till, is owed no more. Goods it never sent cost it nothing when
they come back to it, and what comes back to the seller's own stock stays bought.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.orders import Order
from tillbridge.canonical.registry import Body
from tillbridge.canonical.valued import TransferPriced, ValuedRow
from tillbridge.orchestration.orders.returns import CameBack
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.orders.value import SEP
from tillbridge.orchestration.orders.valuing import When, about
from tillbridge.orchestration.policies import Policies
from tillbridge.orchestration.terms import ALL, PARTS, whom

_TERM = "transfer_price"
_OF_BUYERS = ("sale", "return")
_HALF = Fraction(1, 2)


def transfer_price(
    state: OrderState, order: Order, found: CameBack, policies: Policies, when: When
) -> list[Body]:
    """TransferPriced per entity for what differs from what is booked; after `stock`, which says
    what moved.
    """
    rates = state.terms.transfer_price
    if rates is None and state.transferred is None:
        return []
    target = _target(state, order, found, policies.owners, rates or {})
    booked = state.transferred or {}
    if target == booked:
        return []
    state.transferred = target or None
    selling = state.entities.selling
    said = policies.sale.said(whom(order, selling, policies.of(order.channel, selling).brand))
    _, place = dict(said).get(_TERM, (None, ""))
    return [
        TransferPriced(
            rows=(ValuedRow(kind=_TERM, amount=difference),),
            rate_ppm=_rate(rates or {}, entity),
            policy=place,
            **{
                **about(state, order, when, "transfer"),
                "entities": Entities(selling=selling, fulfilling=entity),
            },
        )
        for entity in sorted(target.keys() | booked.keys())
        if (difference := target.get(entity, 0) - booked.get(entity, 0))
    ]


def _target(
    state: OrderState,
    order: Order,
    found: CameBack,
    owners: Mapping[str, str],
    rates: Mapping[str, int],
) -> dict[str, int]:
    """Minor units due by entity. They are rounded once for all goods of an entity, halves up: so
    parcels lose no cent, and nothing is left of what came back whole.
    """
    worth: dict[str, Fraction] = {}
    lines = {line.line: line for line in order.lines}
    for (entity, name), much in _sent(state, found, owners).items():
        line = lines.get(name)
        if line is not None and line.quantity and much > 0:
            share = Fraction(line.net * min(much, line.quantity), line.quantity)
            worth[entity] = worth.get(entity, Fraction()) + share
    due = {
        entity: floor(net * _rate(rates, entity) / PARTS + _HALF) for entity, net in worth.items()
    }
    return {entity: amount for entity, amount in due.items() if amount}


def _sent(
    state: OrderState, found: CameBack, owners: Mapping[str, str]
) -> dict[tuple[str, str], int]:
    """Thousandths by other entity and line that left its stock and did not come back to it. A till
    moves what it takes back by its own sale, so that is in no movement of the order.
    """
    selling = state.entities.selling
    sent: dict[tuple[str, str], int] = {}
    for place, quantity in state.moved.items():
        name, _, location, kind, *_ = place.split(SEP)
        owner = owners.get(location, selling)
        if owner != selling and kind in _OF_BUYERS:
            sent[owner, name] = sent.get((owner, name), 0) - quantity
    for one in found.at_tills:
        owner = owners.get(one.location, one.entity)
        if (owner, one.line) in sent:
            sent[owner, one.line] -= one.quantity
    return sent


def _rate(rates: Mapping[str, int], entity: str) -> int:
    """Parts of PARTS that an entity gets."""
    return rates.get(entity, rates.get(ALL, 0))
