"""Money of disputed payments: withheld by the provider, then back or lost. Pure.

While a dispute is open its amount is neither ours nor the buyer's: it leaves the clearing account
for `disputes` and stands there as the open item of the dispute until the bank has decided.
"""

from __future__ import annotations

from tillbridge.canonical.orders import Order
from tillbridge.canonical.registry import Body
from tillbridge.canonical.valued import DISPUTE_STEPS, DisputeMoved, ValuedClaim
from tillbridge.orchestration.orders.payments import Dispute
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.orders.valuing import When, about
from tillbridge.orchestration.policies import PURSE_SEP as SEP


def disputed(state: OrderState, order: Order, when: When) -> list[Body]:
    """DisputeMoved for what is to be booked of the order's disputes."""
    target = _target(state.disputes)
    claims = []
    for name in sorted(target.keys() | state.claimed.keys()):
        difference = target.get(name, 0) - state.claimed.get(name, 0)
        if difference:
            state.claimed[name] = target.get(name, 0)
            dispute, kind, tender = name.split(SEP)
            claims.append(ValuedClaim(kind, difference, tender, dispute))
    if not claims:
        return []
    claims.sort(key=lambda claim: (claim.dispute, DISPUTE_STEPS.index(claim.kind)))
    return [DisputeMoved(claims=tuple(claims), **about(state, order, when, "dispute"))]


def withheld(state: OrderState) -> dict[str, int]:
    """Minor units by tender that disputes hold or took for good: they cannot be refunded again."""
    sums: dict[str, int] = {}
    for dispute in state.disputes.values():
        gone = dispute.amount - won(dispute)
        if dispute.tender and gone:
            sums[dispute.tender] = sums.get(dispute.tender, 0) + gone
    return sums


def won(dispute: Dispute) -> int:
    """Minor units that came back to us."""
    if dispute.outcome != "won":
        return 0
    return min(dispute.given_back or dispute.amount, dispute.amount)


def _target(disputes: dict[str, Dispute]) -> dict[str, int]:
    target = {}
    for name, one in disputes.items():
        if one.tender:  # its beginning is known
            back = won(one)
            steps = {"held": one.amount, "fee": one.fee, "won": back}
            steps["lost"] = one.amount - back if one.outcome else 0
            for kind, amount in steps.items():
                if amount:
                    target[SEP.join((name, kind, one.tender))] = amount
    return target
