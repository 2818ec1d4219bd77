"""What the channel is told of an order's goods: what others did with them, each step once. Pure.

A channel is never told what it tells itself: where a fulfilment of its own is of the same goods
(see same_goods.py), it knows them as far as it told them. Its answer names its own id, which from
then on means the same goods; what it tells before that answer is taken for an echo.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tillbridge.canonical.channel_documents import STAGES, FulfilmentDocument, OrderCancelDocument
from tillbridge.canonical.documents import DocumentAccepted, SubmitDocument
from tillbridge.canonical.orders import Order
from tillbridge.canonical.registry import Body
from tillbridge.orchestration.orders.channel_state import Told
from tillbridge.orchestration.orders.pickup import not_collected
from tillbridge.orchestration.orders.same_goods import (
    CHANNEL,
    DEAD,
    Joined,
    Known,
    rejoin,
    road_of,
    room_of,
)
from tillbridge.orchestration.orders.state import (
    DocumentSeen,
    OrderState,
    Shipment,
    captured,
    unshipped_cancelled,
)
from tillbridge.orchestration.orders.valuing import When
from tillbridge.orchestration.policies import ChannelPolicy

KIND = "fulfilment"
CANCELLED = "cancelled"
_UNTOLD = Told()


def counted(state: OrderState, run_by: Mapping[str, str]) -> Joined | None:
    """Bring `shipments` up to date where several systems tell of the goods; None where one does."""
    if state.parcels is None:
        return None
    told = state.told or {}
    known = Known(
        state.key,
        {name: one.theirs for name, one in told.items() if one.theirs},
        {name for name, one in told.items() if one.documents > one.answered},
        room_of(state),
        run_by,
    )
    return rejoin(state, known)


def answered(state: OrderState, body: DocumentAccepted) -> None:
    """Keep what the channel calls a fulfilment it was told of; each document is answered once."""
    name = body.operation.removeprefix(f"{state.key}/{KIND}/").rpartition("/")[0]
    known = (state.told or {}).get(name)
    if known is not None:
        theirs = known.theirs or body.number
        now = msgspec.structs.replace(known, theirs=theirs, answered=known.answered + 1)
        state.told = {**(state.told or {}), name: now}


def tell_channel(
    state: OrderState, order: Order, policy: ChannelPolicy, joined: Joined | None, when: When
) -> list[Body]:
    """Documents for what the channel does not know yet."""
    if not policy.tells_channel or not state.shipments or not state.source:
        return []
    told = dict(state.told or {})
    papers: list[Body] = []
    for counts, parcel in state.shipments.items():
        if road_of(counts, state.key, parcel.teller) == CHANNEL:
            continue
        same = [counts] if joined is None else joined.same.get(counts, [counts])
        name = next((one for one in same if one in told), counts)
        before = told.get(name, _UNTOLD)
        known = _as_told_itself(state, before, same)
        stage = _next_stage(order, parcel, known)
        now = known
        if stage:
            tracking = parcel.tracking or known.tracking
            number = known.documents + 1
            now = msgspec.structs.replace(known, stage=stage, tracking=tracking, documents=number)
            papers.append(_paper(state, order, name, parcel, now, when))
        if now != before:
            told[name] = now
            state.told = dict(told)
    return [*papers, *_cancelled(state, order, when)]


def _cancelled(state: OrderState, order: Order, when: When) -> list[Body]:
    """Nothing of the order was collected, and what was paid for it is given back: it is over."""
    operation = f"{state.key}/order_cancel/1"
    if order.cancelled_at is not None or operation in state.documents:
        return []
    left, dropped = not_collected(state, order), unshipped_cancelled(state)
    paid = any(captured(state).values())
    for line in order.lines:
        if line.ships and line.kind == "goods":
            back = dropped.get(line.line, 0) if paid else line.quantity
            if min(left.get(line.line, 0), back) < line.quantity:
                return []
    state.documents[operation] = DocumentSeen("order_cancel", "owed")
    body = OrderCancelDocument(
        reference=reference_of(state),
        number=order.number,
        channel=order.channel,
        currency=order.currency,
        cancel_date=when.business_date,
        reason="customer",
    )
    command = SubmitDocument(
        key=state.key,
        id=operation,
        kind="order_cancel",
        entity=state.entities.selling,
        connection=state.source,
        order_cancel=body,
    )
    return [command]


def _as_told_itself(state: OrderState, known: Told, same: list[str]) -> Told:
    """With what the channel tells of these goods under an id of its own."""
    for name in same:
        own = (state.parcels or {}).get(name)
        if own is None or road_of(name, state.key, own.teller) != CHANNEL:
            continue
        if STAGES.get(own.state, 0) > STAGES.get(known.stage, 0):
            stage, tracking = own.state, known.tracking or own.tracking
            known = msgspec.structs.replace(known, stage=stage, tracking=tracking)
        if not known.theirs and known.documents == known.answered:
            known = msgspec.structs.replace(known, theirs=_bare(state, name))
    return known


def _next_stage(order: Order, parcel: Shipment, known: Told) -> str:
    """What the channel is to be told next of a parcel, "" = it knows all of it."""
    if parcel.state in DEAD:
        return CANCELLED if known.documents and STAGES.get(known.stage, 0) > 1 else ""
    stage = parcel.state if parcel.state in STAGES else ""
    if stage == "ready" and not order.collect_at:
        stage = ""
    if STAGES.get(stage, 0) > STAGES.get(known.stage, 0) and parcel.lines:
        return stage
    tracked = parcel.tracking not in ("", known.tracking)
    return known.stage if tracked and known.documents and STAGES.get(known.stage, 0) > 1 else ""


def _paper(
    state: OrderState, order: Order, name: str, parcel: Shipment, now: Told, when: When
) -> SubmitDocument:
    operation = f"{state.key}/{KIND}/{name}/{now.documents}"
    state.documents[operation] = DocumentSeen(KIND, "owed")
    body = FulfilmentDocument(
        reference=reference_of(state),
        number=order.number,
        channel=order.channel,
        currency=order.currency,
        fulfilment=name,
        state=now.stage,
        happened_at=parcel.since or when.occurred_at,
        lines=parcel.lines,
        location=parcel.location,
        carrier=parcel.carrier,
        tracking=parcel.tracking,
        theirs=now.theirs,
        others=tuple(sorted(_others(state, now.theirs))),
    )
    return SubmitDocument(
        key=state.key,
        id=operation,
        kind=KIND,
        entity=state.entities.selling,
        connection=state.source,
        fulfilment=body,
    )


def reference_of(state: OrderState) -> str:
    """The channel's own id of the order: the last part of its key."""
    return state.key.split("/", 2)[2].replace("%2F", "/").replace("%25", "%")


def _others(state: OrderState, theirs: str) -> set[str]:
    """Ids the channel is known to have for other fulfilments; those it just told may be echoes."""
    found = {one.theirs for one in (state.told or {}).values()}
    return found - {"", theirs}


def _bare(state: OrderState, name: str) -> str:
    """The channel's own id, without the connection it came by."""
    own = state.key.split("/", 2)[1]
    return name.removeprefix(f"{own}/")
