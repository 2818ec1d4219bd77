"""What follows from a transfer's evidence: what its origin should hold of it. Pure and total.

What left is taken off what is held by the stock book, in the transaction that books it; here is
decided only whether anything of the transfer is still to be sent. What lacks at the end of the way
is told by the stock book too, because it counts in base units.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import ReserveStock, StockLine, StockReserved, StockShort
from tillbridge.orchestration.decision import Decision
from tillbridge.orchestration.transfers.evolve import evolve
from tillbridge.orchestration.transfers.state import TransferState

NOT_HELD, ENDS_DIFFER = "transfer_not_held", "transfer_ends_differ"


def decide(state: TransferState, body: Body) -> Decision:
    """Fold `body` into `state` (changed in place) and give what follows."""
    decision = Decision([], [], [])
    if not isinstance(body, Fact) or not evolve(state, body):
        return decision
    state.revision += 1
    if isinstance(body, StockShort):
        _notice(state, decision, _short(state, body))
    elif isinstance(body, StockReserved):
        _settle(state, decision, NOT_HELD)
    if len(state.ends) < 2:
        _settle(state, decision, ENDS_DIFFER)
    elif ENDS_DIFFER not in state.noticed:
        _notice(state, decision, _ends_differ(state))
    decision.emits += _hold(state, body.occurred_at)
    return decision


def _hold(state: TransferState, at: datetime) -> list[Body]:
    """Ask the stock book to hold what is to be sent, or to let it go; again when goods came, or
    when less is wanting since a part left that could not be held.
    """
    order = state.order
    lines: tuple[StockLine, ...] = ()
    if order is not None and not state.over:
        lines = tuple(
            msgspec.structs.replace(line, location=order.origin)
            for line in order.lines
            if line.quantity > 0
        )
    anew, state.anew = state.anew, False
    less = state.hold == "short" and state.sent_asked != len(state.sent)
    if lines == state.wanted and not (lines and (anew or less)):
        return []
    state.wanted, state.sent_asked = lines, len(state.sent)
    state.hold_version += 1
    state.hold_turn = 0
    return [
        ReserveStock(
            key=state.key,
            id=f"{state.key}/hold/{state.hold_version}",
            version=state.hold_version,
            lines=lines,
            locations=(order.origin,) if order is not None else (),
            occurred_at=at,
            kind="transfer",
        )
    ]


def _notice(state: TransferState, decision: Decision, notice: NeedsDecision) -> None:
    decision.notices.append(notice)
    if notice.reason not in state.noticed:
        state.noticed = (*state.noticed, notice.reason)


def _settle(state: TransferState, decision: Decision, reason: str) -> None:
    if reason in state.noticed:
        decision.settles.append(reason)
        state.noticed = tuple(name for name in state.noticed if name != reason)


def _short(state: TransferState, body: StockShort) -> NeedsDecision:
    return NeedsDecision(
        "transfer_not_held",
        f"transfer {state.number}: {body.product} lacks {to_text(body.wanted - body.free)} "
        "where it is to leave from",
        owner="fulfilment",
        remedy=f"tillbridge transfers show {state.number}",
        details={"product": body.product, "transfer": state.number},
    )


def _ends_differ(state: TransferState) -> NeedsDecision:
    told = "; ".join(f"from {origin} to {to}" for origin, to in sorted(state.ends))
    return NeedsDecision(
        "transfer_ends_differ",
        f"transfer {state.number} is told {told}",
        owner="fulfilment",
        remedy=f"tillbridge transfers show {state.number}",
        details={"transfer": state.number},
    )
