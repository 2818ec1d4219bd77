"""Fold one fact into an order's evidence. Pure; merging by identity and version only."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.cards import CardRedeemed
from tillbridge.canonical.documents import DocumentAccepted, DocumentRefused
from tillbridge.canonical.orders import (
    DepositHandedOver,
    Order,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderReplaced,
)
from tillbridge.canonical.payments import (
    AuthorizationLapsing,
    DisputeResolved,
    Payment,
    PaymentDisputed,
)
from tillbridge.canonical.receivables import BankPaymentMatched
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import RefundApproved, RefundIssued, ReturnTold
from tillbridge.canonical.shipments import FulfilmentTold, LineSubstituted
from tillbridge.canonical.stock import (
    PickFailed,
    SourcingAsked,
    StockLine,
    StockReserved,
    StockShort,
)
from tillbridge.canonical.taxes import TaxCalculated, TaxRefused
from tillbridge.orchestration.orders import tax
from tillbridge.orchestration.orders.failures import ALLOWED
from tillbridge.orchestration.orders.fulfilment import fulfil
from tillbridge.orchestration.orders.on_account import agreed, banked
from tillbridge.orchestration.orders.paying_back import approve
from tillbridge.orchestration.orders.payments import fold
from tillbridge.orchestration.orders.replacing import replace
from tillbridge.orchestration.orders.requested import answered, is_answer
from tillbridge.orchestration.orders.returns import fold_return
from tillbridge.orchestration.orders.state import (
    DocumentSeen,
    Failure,
    OrderState,
    Refund,
    payment_tables,
)
from tillbridge.orchestration.orders.to_channel import answered as taken_by_channel


def evolve(state: OrderState, body: Body) -> bool:  # noqa: PLR0911 - one line per kind
    """Merge a fact into the state (changed in place); False when it told nothing new."""
    match body:
        case OrderPlaced() | OrderChanged() | OrderCancelled():
            return _told(state, body)
        case FulfilmentTold() | LineSubstituted() | OrderReplaced() | DepositHandedOver():
            return _of_parcels_or_orders(state, body)
        case RefundIssued() | ReturnTold() | RefundApproved():
            return _back(state, body)
        case Payment() | CardRedeemed() | PaymentDisputed() | DisputeResolved():
            return fold(payment_tables(state), state.disputes, body)
        case StockReserved() | StockShort():
            return _answered(state, body)
        case PickFailed() | SourcingAsked() | AuthorizationLapsing():
            return _asked(state, body)
        case TaxCalculated() | TaxRefused():
            return tax.answered(state, body)
        case BankPaymentMatched():
            return banked(state, body)
        case DocumentAccepted() | DocumentRefused() if body.kind != "journal":
            return _document(state, body)
        case _:
            return False


def _of_parcels_or_orders(
    state: OrderState,
    body: FulfilmentTold | LineSubstituted | OrderReplaced | DepositHandedOver,
) -> bool:
    if isinstance(body, OrderReplaced | DepositHandedOver):
        return replace(state, body)
    return fulfil(state, body)


def _document(state: OrderState, body: DocumentAccepted | DocumentRefused) -> bool:
    """What became of a document; once accepted it stays accepted."""
    known = state.documents.get(body.operation)
    if isinstance(body, DocumentAccepted):
        seen = DocumentSeen(body.kind, "accepted", body.number)
    elif known is not None and known.state == "accepted":
        return False
    else:
        seen = DocumentSeen(body.kind, "refused")
    if known == seen:
        return False
    state.documents[body.operation] = seen
    if is_answer(body):
        answered(state, body)
    elif isinstance(body, DocumentAccepted):
        answer = _ANSWERED.get(body.kind)
        if answer is not None:
            answer(state, body)
    return True


# what the channel's taking of a document says besides
_ANSWERED = {"fulfilment": taken_by_channel}


def _told(state: OrderState, body: OrderPlaced | OrderChanged | OrderCancelled) -> bool:
    newest = state.untaxed or state.order
    news = agreed(state, body.order)
    if newest is not None and not _newer(body.order, newest):
        return news
    state.untaxed = body.order if body.order.tax == "missing" else None
    state.order = body.order if state.untaxed is None else tax.with_tax(state, state.untaxed)
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


def _back(state: OrderState, body: RefundIssued | ReturnTold | RefundApproved) -> bool:
    """Money or goods that come back."""
    if isinstance(body, RefundApproved):
        return approve(state, body)
    if isinstance(body, ReturnTold):
        return fold_return(state.returns, body)
    told = Refund(body.version, body.lines, body.adjustments, body.payments, body.currency)
    known = state.untaxed_refunds.get(body.refund) or state.refunds.get(body.refund)
    if known is not None and _refund_rank(told) <= _refund_rank(known):
        return False
    state.refunds[body.refund] = told
    state.untaxed_refunds.pop(body.refund, None)
    if tax.untold(told):
        state.untaxed_refunds[body.refund] = told
        state.refunds[body.refund] = tax.refund_with_tax(state, body.refund, told)
    return True


def _refund_rank(told: Refund) -> tuple[str, int, bytes]:
    """Newest version first; at the same one the one that paid more, then bytes decide."""
    paid = sum(payment.amount for payment in told.payments if payment.state == "success")
    return (told.version, paid, msgspec.json.encode(told))


def _answered(state: OrderState, body: StockReserved | StockShort) -> bool:
    if (body.version, body.turn) < (state.hold_version, state.hold_turn):
        return False
    state.hold_turn, state.answered = body.turn, body.version
    if isinstance(body, StockShort):
        state.hold, state.standing, state.promised = "short", (), ()
    else:
        state.hold = "backordered" if body.promised else "held" if body.lines else ""
        state.standing, state.promised = body.lines, body.promised
    return True


def _asked(state: OrderState, body: PickFailed | SourcingAsked | AuthorizationLapsing) -> bool:
    """Somebody or the clock asks for a new look."""
    if not isinstance(body, AuthorizationLapsing):
        return _to_source_anew(state, body)
    if body.reference in state.lapsing:
        return False
    state.lapsing = tuple(sorted((*state.lapsing, body.reference)))
    return True


def _to_source_anew(state: OrderState, body: PickFailed | SourcingAsked) -> bool:
    """A place failed, goods came, or a person wants it tried."""
    if isinstance(body, PickFailed):
        return _failed(state, body)
    answer = (state.hold_version, state.hold_turn)
    if body.version and (state.hold != "short" or (body.version, body.turn) != answer):
        return False  # another answer is known since
    for place in body.allows:
        state.failures[f"{body.id}/{place}"] = Failure(place, ALLOWED, at=body.occurred_at)
    state.anew = True
    return True


def _failed(state: OrderState, body: PickFailed) -> bool:
    """A place failed; the first telling of a failure stands."""
    if body.failure in state.failures:
        return False
    lines = {line.line: line.quantity for line in body.lines}
    stood = tuple(
        _missed(state, one, lines.get(one.line, 0))
        for one in state.standing
        if one.location == body.location and (not lines or one.line in lines)
    )
    state.failures[body.failure] = Failure(
        body.location, body.reason, lines, stood, body.occurred_at
    )
    return True


def _missed(state: OrderState, stood: StockLine, quantity: int) -> StockLine:
    """What of a piece that stood there was missed: its part of so much of the line in the order's
    unit, which is the book's or holds several of it; 0 = all of it.
    """
    if quantity <= 0:
        return stood
    of_line = (stood.line, stood.product)
    pieces = (*state.standing, *state.promised)
    all_of_it = sum(one.quantity for one in pieces if (one.line, one.product) == of_line)
    missed = quantity * all_of_it // (state.wanted.get(stood.line) or all_of_it)
    return msgspec.structs.replace(stood, quantity=min(stood.quantity, missed))
