"""Fold one fact into a transfer's evidence. Pure; merging by identity and version only."""

from __future__ import annotations

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import (
    SourcingAsked,
    StockReserved,
    StockShort,
    TransferDispatched,
    TransferReceived,
)
from tillbridge.canonical.supply import TransferCancelled, TransferOrdered
from tillbridge.orchestration.transfers.state import Cancellation, Order, Part, TransferState


def evolve(state: TransferState, body: Body) -> bool:
    """Merge a fact into the state (changed in place); False when it told nothing new.

    Raises NeedsDecision for goods told once more with other content.
    """
    match body:
        case TransferOrdered():
            state.number = body.transfer
            return _ordered(state, body)
        case TransferCancelled():
            state.number = body.transfer
            return _cancelled(state, body)
        case TransferDispatched() | TransferReceived():
            state.number = body.transfer
            return _moved(state, body)
        case StockReserved() | StockShort():
            return _answered(state, body)
        case SourcingAsked():
            return _to_ask_anew(state, body)
        case _:
            return False


def _ordered(state: TransferState, body: TransferOrdered) -> bool:
    told = Order(body.version, body.origin, body.destination, body.lines, body.due_at, body.asked)
    if state.order is not None and _rank(told) <= _rank(state.order):
        return False
    state.order = told
    return True


def _rank(told: Order) -> tuple[str, bytes]:
    """Newest version first; of two tellings of one version bytes decide, never their arrival."""
    return told.version, msgspec.json.encode(told)


def _cancelled(state: TransferState, body: TransferCancelled) -> bool:
    """The first cancellation stands, by its own time."""
    told = Cancellation(body.occurred_at, body.reason)
    known = state.cancelled
    if known is not None and (known.at, known.reason) <= (told.at, told.reason):
        return False
    state.cancelled = told
    return True


def _moved(state: TransferState, body: TransferDispatched | TransferReceived) -> bool:
    """Goods that moved are told once: their first telling is booked."""
    table = state.sent if isinstance(body, TransferDispatched) else state.received
    told = Part(body.origin, body.destination, body.lines, body.complete)
    known = table.get(body.id)
    if known is None:
        table[body.id] = told
        return True
    if known == told:
        return False
    raise NeedsDecision(
        "immutable_changed",
        f"{body.id} of transfer {body.transfer} was told before with other content",
        owner="fulfilment",
        details={"key": body.key, "fact": body.id},
    )


def _answered(state: TransferState, body: StockReserved | StockShort) -> bool:
    if (body.version, body.turn) < (state.hold_version, state.hold_turn):
        return False
    state.hold_turn = body.turn
    if isinstance(body, StockShort):
        state.hold, state.standing = "short", ()
    else:
        state.hold, state.standing = "held" if body.lines else "", body.lines
    return True


def _to_ask_anew(state: TransferState, body: SourcingAsked) -> bool:
    """Goods came that its origin lacked, or a person wants it tried."""
    answer = (state.hold_version, state.hold_turn)
    if body.version and (state.hold != "short" or (body.version, body.turn) != answer):
        return False  # another answer is known since
    state.anew = True
    return True
