"""The sales order at the ERP: sent once, changed when what is wanted changes, cancelled. Pure.

Each change is a document of its own that says the whole of what is wanted from now on, so the ERP
ends with the last one whatever it did with those before.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from tillbridge.canonical.documents import (
    SalesOrderCancelDocument,
    SalesOrderChangeDocument,
    SalesOrderDocument,
    SubmitDocument,
)
from tillbridge.canonical.orders import Order, OrderLine
from tillbridge.canonical.registry import Body
from tillbridge.orchestration.orders.on_account import is_on_account
from tillbridge.orchestration.orders.state import DocumentSeen, OrderState, captured, shipped
from tillbridge.orchestration.orders.value import earned, kept_lines
from tillbridge.orchestration.orders.valuing import When
from tillbridge.orchestration.policies import ChannelPolicy

_ENCODER = msgspec.json.Encoder(order="deterministic")
NOTHING = "nothing"
"""What `OrderState.ordered` says of a sales order that is cancelled at the ERP."""


def operation_of(state: OrderState) -> str:
    """Operation id of the order's sales order."""
    return f"{state.key}/sales_order"


def sales_order(state: OrderState, order: Order, policy: ChannelPolicy, when: When) -> list[Body]:
    """The sales order goes to the ERP once, when its point (paid or placed) is reached; at the
    latest when goods leave or something is earned, because those papers refer to it and follow it
    per key. Afterwards what differs between what is wanted and what the ERP was told.
    """
    if not policy.erp:
        return []
    lines = kept_lines(state, order)
    if operation_of(state) in state.documents:
        return _difference(state, order, policy, when, lines)
    if not _is_due(state, order, policy):
        return []
    state.ordered = _digest(order, lines or order.lines)
    sent = _first(state, order, policy, lines or order.lines)
    if lines:  # it just told all of it
        return [sent]
    return [sent, *_difference(state, order, policy, when, lines)]


def _is_due(state: OrderState, order: Order, policy: ChannelPolicy) -> bool:
    if earned(state) or any(shipped(state).values()):
        return True
    return goes_out(state, order, policy)


def goes_out(state: OrderState, order: Order, policy: ChannelPolicy) -> bool:
    """Whether others may be told to work on it: its point is reached, and it is still wanted."""
    waits = policy.order_point == "paid" and not is_on_account(state)
    early = waits and sum(captured(state).values()) < order.total
    return not early and order.cancelled_at is None and not state.replaced_by


def _first(
    state: OrderState, order: Order, policy: ChannelPolicy, lines: tuple[OrderLine, ...]
) -> SubmitDocument:
    operation = operation_of(state)
    state.documents[operation] = DocumentSeen("sales_order", "owed")
    document = SalesOrderDocument(
        order_date=order.placed_at.date(), total=_total(lines), lines=lines, **_head(order, policy)
    )
    return SubmitDocument(
        key=state.key,
        id=operation,
        kind="sales_order",
        entity=state.entities.selling,
        sales_order=document,
    )


def _difference(
    state: OrderState,
    order: Order,
    policy: ChannelPolicy,
    when: When,
    lines: tuple[OrderLine, ...],
) -> list[Body]:
    wanted = _digest(order, lines) if lines else NOTHING
    known, state.ordered = state.ordered, wanted
    if known in ("", wanted):  # "": sent by a release that did not note what it told
        return []
    kind = "sales_order_change" if lines else "sales_order_cancel"
    operation = f"{state.key}/{kind}/{state.step(kind)}"
    state.documents[operation] = DocumentSeen(kind, "owed")
    command = SubmitDocument(key=state.key, id=operation, kind=kind, entity=state.entities.selling)
    if not lines:
        body = SalesOrderCancelDocument(
            order=operation_of(state),
            number=order.number,
            channel=order.channel,
            currency=order.currency,
            cancel_date=when.business_date,
            reason=order.cancel_reason,
            party=order.party,
            location=_location(order, policy),
        )
        return [msgspec.structs.replace(command, sales_order_cancel=body)]
    change = SalesOrderChangeDocument(
        order=operation_of(state),
        order_date=when.business_date,
        total=_total(lines),
        lines=lines,
        **_head(order, policy),
    )
    return [msgspec.structs.replace(command, sales_order_change=change)]


def _head(order: Order, policy: ChannelPolicy) -> dict[str, Any]:
    return {
        "number": order.number,
        "channel": order.channel,
        "currency": order.currency,
        "party": order.party,
        "location": _location(order, policy),
        "ship_to": order.ship_to,
    }


def _location(order: Order, policy: ChannelPolicy) -> str:
    return order.collect_at or (policy.fulfil_from[0] if policy.fulfil_from else "")


def _total(lines: tuple[OrderLine, ...]) -> int:
    return sum(line.gross for line in lines)


def _digest(order: Order, lines: tuple[OrderLine, ...]) -> str:
    """What of an order its sales order tells, in a few letters."""
    told = [
        (
            (line.line, line.kind, line.product, line.quantity, line.unit),
            (line.net, [(tax.code, tax.jurisdiction, tax.amount) for tax in line.taxes]),
        )
        for line in lines
    ]
    content = _ENCODER.encode((told, order.ship_to, order.party))
    return hashlib.blake2b(content, digest_size=9).hexdigest()
