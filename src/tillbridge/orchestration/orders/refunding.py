"""How much can still be given back, by which tender, and how a refund is shared over them. Pure.

What remains is read from what is booked, in minor units: so no refund is blocked or possible by a
cent, and the last one takes the remainder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tillbridge.orchestration.orders.disputes import withheld
from tillbridge.orchestration.orders.returns import came_back, paid_at_tills
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.orders.till import till_money

Rank = Callable[[str], tuple[int, str]]
"""Sorts tenders by the order of the policy: what is paid back first comes first."""


def rank_of(kinds: tuple[str, ...], kind_of: Callable[[str], str]) -> Rank:
    """kinds: tender kinds in the order in which they are paid back; one not named comes last."""
    places = {kind: place for place, kind in enumerate(kinds)}
    return lambda tender: (places.get(kind_of(tender), len(places)), tender)


def allocated(amount: int, remains: Mapping[str, int], rank: Rank) -> dict[str, int]:
    """An amount over what remains by tender, the first of the policy first; what nothing remains
    for is not in it.
    """
    shares: dict[str, int] = {}
    for tender in sorted(remains, key=rank):
        share = min(amount, remains[tender])
        if share > 0:
            shares[tender] = share
            amount -= share
    return shares


def refundable(state: OrderState, rank: Rank) -> dict[str, int]:
    """What remains in the books per tender, minor units: received less given back.

    What was given back by another way than it came in (store credit for a card, cash at a till)
    lowers the tenders in the order of the policy.
    """
    received, given_back = till_money(state)
    remains = {
        tender: max(amount - given_back.get(tender, 0), 0) for tender, amount in received.items()
    }
    elsewhere = sum(
        max(amount - max(received.get(tender, 0), 0), 0) for tender, amount in given_back.items()
    )
    if state.order is not None:
        elsewhere += paid_at_tills(came_back(state), state.order)
    for tender, amount in withheld(state).items():  # what a dispute took cannot go back again
        here = min(amount, remains.get(tender, 0))
        elsewhere += amount - here
        if here:
            remains[tender] -= here
    for tender, amount in allocated(elsewhere, remains, rank).items():
        remains[tender] -= amount
    return {tender: amount for tender, amount in remains.items() if amount}
