"""Money the hub owes a buyer, where the terms say that the hub gives it back. Pure.

Owed is what goods that came back were sold for, and what was paid for goods that will not come;
less what refunds are told for them. It goes back by the tenders it came by, in the order of the
terms, never more than is left of them; the channel is asked for one refund at a time. Its answer
is told as the refund it made, under its own id and its own transactions: its webhook, and the
provider's row of the payout, are further tellings of that one movement.
"""

from __future__ import annotations

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.canonical.channel_documents import RefundDocument
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.orders import Order, OrderLine
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import (
    RefundAdjustment,
    RefundApproved,
    RefundLine,
    RefundPayment,
)
from tillbridge.orchestration.orders.channel_state import Commanded
from tillbridge.orchestration.orders.payments import REFUND_FAILED, REFUNDED, rows_of
from tillbridge.orchestration.orders.pickup import given_up
from tillbridge.orchestration.orders.refunding import allocated, rank_of, refundable
from tillbridge.orchestration.orders.returns import came_back
from tillbridge.orchestration.orders.state import (
    DocumentSeen,
    OrderState,
    payment_tables,
    shipped,
    taken_here,
    unshipped_cancelled,
)
from tillbridge.orchestration.orders.to_channel import reference_of
from tillbridge.orchestration.orders.value import part
from tillbridge.orchestration.policies import PURSE_SEP, Policies
from tillbridge.orchestration.terms import needs_person

KIND = "refund"
STEP = "give_back"
APPROVAL = "refund_approval"
Quantities = dict[str, int]


class Due(msgspec.Struct, frozen=True):
    """What is to be given back now. operation: of the document that asks for it. shares: purse ->
    minor units. again: how much of it is owed because a refund failed.
    """

    operation: str
    back: Quantities
    dropped: Quantities
    lines: tuple[RefundLine, ...]
    adjustments: tuple[RefundAdjustment, ...]
    shares: Quantities
    again: int

    @property
    def amount(self) -> int:
        """Minor units."""
        return sum(self.shares.values())


def approve(state: OrderState, body: RefundApproved) -> bool:
    """Keep up to which amount a refund may go out; False when that is known."""
    known = state.approved or {}
    if known.get(body.refund, 0) >= body.amount:
        return False
    state.approved = {**known, body.refund: body.amount}
    return True


def pay_back(
    state: OrderState, order: Order, policies: Policies
) -> tuple[list[Body], NeedsDecision | None]:
    """The document that asks the channel to pay, or the notice that a person has to allow it."""
    now = due(state, order, policies)
    if now is None:
        return [], None
    if waits(state, order, now):
        return [], _to_approve(order, now)
    state.step(STEP)
    state.documents[now.operation] = DocumentSeen(KIND, "owed")
    asked = Commanded(now.back, now.dropped, now.shares, now.again)
    state.commanded = {**(state.commanded or {}), now.operation: asked}
    document = RefundDocument(
        reference=reference_of(state),
        number=order.number,
        channel=order.channel,
        currency=order.currency,
        total=now.amount,
        payments=tuple(_payment(purse, amount) for purse, amount in sorted(now.shares.items())),
        lines=now.lines,
        adjustments=now.adjustments,
        reason="returned" if now.back else "cancelled" if now.dropped else "refund failed",
    )
    command = SubmitDocument(
        key=state.key,
        id=now.operation,
        kind=KIND,
        entity=state.entities.selling,
        connection=state.source,
        refund=document,
    )
    return [command], None


def waits(state: OrderState, order: Order, now: Due) -> bool:
    """Whether a person has to allow it first: above the limit, or after a refund failed."""
    allowed = (state.approved or {}).get(now.operation, 0)
    asks = now.again or needs_person(state.terms.refund_approval, now.amount, order.currency)
    return bool(asks) and now.amount > allowed


def due(state: OrderState, order: Order, policies: Policies) -> Due | None:
    """What is owed and not asked for yet; None = nothing, or it is not the hub that pays."""
    if state.terms.refund_by != "hub" or not state.source or state.replaced_by:
        return None
    if _under_way(state):
        return None
    back, dropped, lines = _goods(state, order)
    freight = _freight_owed(state, order)
    again = _failed(state) - sum(one.again for one in (state.commanded or {}).values())
    owed = sum(one.net + sum(tax.amount for tax in one.taxes) for one in lines)
    owed += sum(one.net + one.tax for one in freight) + max(again, 0)
    if owed <= 0:
        return None
    rank = rank_of(state.terms.refund_order, policies.kind_of)
    here = taken_here(state)
    left = {
        purse: min(amount, here.get(purse, 0)) for purse, amount in refundable(state, rank).items()
    }
    shares = allocated(owed, left, rank)
    if not shares:
        return None
    operation = f"{state.key}/{STEP}/{state.steps.get(STEP, 0) + 1}"
    return Due(operation, back, dropped, lines, freight, shares, max(again, 0))


def _under_way(state: OrderState) -> bool:
    """Whether the channel was asked for a refund whose record is not known yet: one at a time, so
    that its own telling, which may come before its answer, is never taken for another one.
    """
    for name in state.commanded or {}:
        seen = state.documents[name]
        if seen.state != "accepted" or seen.number not in state.refunds:
            return True
    return False


def _goods(
    state: OrderState, order: Order
) -> tuple[Quantities, Quantities, tuple[RefundLine, ...]]:
    """Thousandths by line that came back, and that will not come, without a refund; as lines."""
    received: Quantities = {}
    if state.returns:
        for piece in came_back(state).pieces:
            received[piece.line] = received.get(piece.line, 0) + piece.quantity
    gone_without = given_up(state, order)
    if not received and not gone_without:
        return {}, {}, ()
    cancelled, paid = unshipped_cancelled(state), _refunded(state)
    back: Quantities = {}
    dropped: Quantities = {}
    lines: list[RefundLine] = []
    for line in order.lines:
        name = line.line
        before = paid.get(name, 0) + cancelled.get(name, 0)
        much = gone_without.get(name, 0) - cancelled.get(name, 0)
        if much > 0:
            dropped[name] = much
            lines.append(_worth(line, before, much, "cancel"))
            before += much
        much = received.get(name, 0) - paid.get(name, 0)
        if much > 0:
            back[name] = much
            lines.append(_worth(line, before, much, "no_restock"))
    return back, dropped, tuple(lines)


def _refunded(state: OrderState) -> Quantities:
    """Thousandths by line that refunds are told for, of what left."""
    found: Quantities = {}
    for refund in state.refunds.values():
        for row in refund.lines:
            if row.restock != "cancel":
                found[row.line] = found.get(row.line, 0) + row.quantity
    return found


def _worth(line: OrderLine, before: int, quantity: int, restock: str) -> RefundLine:
    """So much of a line as it was sold, `before` of it paid back already: the last has the rest.

    Where the goods are is told by who received them, so the refund moves none.
    """

    def share(amount: int) -> int:
        upto = part(amount, before + quantity, line.quantity)
        return upto - part(amount, before, line.quantity)

    taxes = tuple(msgspec.structs.replace(t, amount=share(t.amount), base=0) for t in line.taxes)
    return RefundLine(line.line, quantity, share(line.net), taxes, restock)


def _freight_owed(state: OrderState, order: Order) -> tuple[RefundAdjustment, ...]:
    """Freight of an order of which nothing left or will."""
    goods = [line for line in order.lines if line.ships and line.kind == "goods"]
    gone_without = given_up(state, order)
    if any(shipped(state).values()) or not goods:
        return ()
    if any(gone_without.get(line.line, 0) < line.quantity for line in goods):
        return ()
    freight = [line for line in order.lines if line.kind == "shipping"]
    net, tax = sum(line.net for line in freight), sum(line.tax for line in freight)
    told = [one for refund in state.refunds.values() for one in refund.adjustments]
    paid = sum(one.net + one.tax for one in told if one.kind == "shipping")
    if paid or net + tax <= 0:
        return ()
    return (RefundAdjustment("shipping", net, tax),)


def _failed(state: OrderState) -> int:
    """Minor units of refunds that were told as paid and came back to us."""
    failed = [one for one in state.payments.values() if one.kind == REFUND_FAILED]
    if not failed:
        return 0
    known = rows_of(payment_tables(state), REFUNDED)
    return sum(one.amount for one in failed if one.reference in known)


def _payment(purse: str, amount: int) -> RefundPayment:
    tender, _, card = purse.partition(PURSE_SEP)
    return RefundPayment("", tender, amount, "pending", card=card)


def _to_approve(order: Order, now: Due) -> NeedsDecision:
    worth = f"{to_text(now.amount, order.currency)} {order.currency}"
    why = "because a refund came back" if now.again else "which is for a person to decide"
    return NeedsDecision(
        "refund_approval",
        f"order {order.number}: {worth} is to be given back at {order.channel}, {why}",
        owner="finance",
        remedy=f"tillbridge orders refund {order.number}",
        amount=now.amount,
        currency=order.currency,
        details={"refund": now.operation},
    )
