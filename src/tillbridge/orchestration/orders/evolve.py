"""Fold one fact into an order's evidence. Pure; merging by identity and version only."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tillbridge.canonical.documents import DocumentAccepted, DocumentRefused
from tillbridge.canonical.orders import Order, OrderCancelled, OrderChanged, OrderPlaced
from tillbridge.canonical.payments import PaymentCaptured, PaymentRefunded
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import RefundIssued
from tillbridge.canonical.shipments import GoodsShipped
from tillbridge.canonical.stock import StockReserved, StockShort
from tillbridge.orchestration.orders.state import DocumentSeen, OrderState, Refund, Shipment

T = TypeVar("T")


def evolve(state: OrderState, body: Body) -> bool:
    """Merge a fact into the state (changed in place); False when it told nothing new."""
    match body:
        case OrderPlaced() | OrderChanged() | OrderCancelled():
            return _told(state, body)
        case PaymentCaptured():
            return _put(state.captures, body.reference, (body.tender, body.amount))
        case PaymentRefunded():
            return _put(state.refund_payments, body.reference, (body.tender, body.amount))
        case GoodsShipped():
            return _shipment(state, body)
        case RefundIssued():
            return _refund(state, body)
        case StockReserved() | StockShort():
            return _answered(state, body)
        case DocumentAccepted() | DocumentRefused():
            return _put(state.documents, body.operation, _seen(body))
        case _:
            return False


def _seen(body: DocumentAccepted | DocumentRefused) -> DocumentSeen:
    if isinstance(body, DocumentAccepted):
        return DocumentSeen(body.kind, "accepted", body.number)
    return DocumentSeen(body.kind, "refused")


def _told(state: OrderState, body: OrderPlaced | OrderChanged | OrderCancelled) -> bool:
    newest = state.order
    if newest is not None and not _newer(body.order, newest):
        return False
    state.order = body.order
    state.source = body.source
    state.entities = body.entities
    return True


def _newer(told: Order, known: Order) -> bool:
    """Whether a telling replaces the known one.

    Channels stamp versions by the second, so two different tellings may carry the same one; then
    the one that knows more (cancelled, more paid) wins, and bytes decide the rest, so that the
    order of arrival never does.
    """
    if told.version != known.version:
        return told.version > known.version
    if told == known:
        return False
    return _rank(told) > _rank(known)


def _rank(order: Order) -> tuple[bool, int, bytes]:
    paid = -1 if order.paid_stated is None else order.paid_stated
    return (order.cancelled_at is not None, paid, msgspec.json.encode(order))


def _shipment(state: OrderState, body: GoodsShipped) -> bool:
    known = state.shipments.get(body.shipment)
    if known is not None and body.version <= known.version:
        return False
    state.shipments[body.shipment] = Shipment(
        body.version, body.state, body.location, body.lines, body.tracking
    )
    return True


def _refund(state: OrderState, body: RefundIssued) -> bool:
    known = state.refunds.get(body.refund)
    if known is not None and body.version <= known.version:
        return False
    state.refunds[body.refund] = Refund(body.version, body.lines, body.adjustments, body.payments)
    return True


def _answered(state: OrderState, body: StockReserved | StockShort) -> bool:
    if body.version < state.hold_version:
        return False
    if isinstance(body, StockReserved):
        state.hold, state.hold_location = ("held" if body.lines else ""), body.location
    else:
        state.hold, state.hold_location = "short", ""
    return True


def _put(table: dict[str, T], key: str, value: T) -> bool:
    if table.get(key) == value:
        return False
    table[key] = value
    return True
