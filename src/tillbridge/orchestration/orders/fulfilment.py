"""A fulfilment: its tellings joined, whatever order they come in. Pure.

State and version are those of the newest telling; place, lines, tracking and carrier those of the
newest telling that says them: a carrier that tells a delivery names the parcel alone. Two tellings
of one version are told apart by the later state, then by their bytes.
"""

from __future__ import annotations

import msgspec

from tillbridge.canonical.shipments import (
    FulfilmentTold,
    GoodsAllocated,
    GoodsCollected,
    GoodsDelivered,
    GoodsPacked,
    GoodsPicked,
    GoodsShipped,
    LineSubstituted,
    PickupExpired,
    PickupReady,
)
from tillbridge.orchestration.orders.same_goods import several_tell
from tillbridge.orchestration.orders.state import FULFILMENT, OrderState, Shipment
from tillbridge.orchestration.orders.substitution import substitute

FULFILMENT_STATES: dict[type[FulfilmentTold], str] = {
    GoodsAllocated: "allocated",
    GoodsPicked: "picked",
    GoodsPacked: "packed",
    PickupReady: "ready",
    GoodsCollected: "collected",
    GoodsDelivered: "delivered",
    PickupExpired: "expired",
}
"""The state a telling means by its kind alone; GoodsShipped says it."""
Stamp = tuple[str, int]


def state_told(body: FulfilmentTold) -> str:
    """State of the fulfilment that a telling says."""
    return body.state if isinstance(body, GoodsShipped) else FULFILMENT_STATES[type(body)]


def fulfil(state: OrderState, body: FulfilmentTold | LineSubstituted) -> bool:
    """Join one telling into its fulfilment; False when it said nothing new."""
    if isinstance(body, LineSubstituted):
        return substitute(state, body)
    told = Shipment(
        body.version,
        state_told(body),
        body.location,
        body.lines,
        body.tracking,
        since=body.occurred_at,
        carrier=body.carrier,
        teller=body.source if body.lines else "",
    )
    parcels = state.shipments if state.parcels is None else dict(state.parcels)
    known = parcels.get(body.shipment)
    joined = told if known is None else _joined(known, told)
    if joined == known:
        return False
    parcels[body.shipment] = joined
    if state.parcels is not None or several_tell(parcels, state.key):
        state.parcels = dict(parcels)
    return True


def _joined(one: Shipment, other: Shipment) -> Shipment:
    newest = max(one, other, key=_newest)
    head = _stamp(newest)
    values: dict[str, object] = {}
    at: dict[str, Stamp] = {}
    for field in ("location", "lines", "tracking", "carrier"):
        stamp, _, values[field] = max(_said(one, field), _said(other, field), key=_order)
        if values[field] and stamp != head:
            at[field] = stamp
    values["teller"] = _teller(one, other, values["lines"])
    return msgspec.structs.replace(newest, at=at, **values)


def _teller(one: Shipment, other: Shipment, lines: object) -> str:
    """Who told the lines that count; the first by name, where several told the same."""
    tellers = [told.teller for told in (one, other) if told.lines == lines and told.teller]
    return min(tellers, default="")


def _said(telling: Shipment, field: str) -> tuple[Stamp, bytes, object]:
    """What a telling says of a field: when, as bytes, and as it is."""
    value = getattr(telling, field)
    stamp = telling.at.get(field, _stamp(telling)) if value else ("", -1)
    return stamp, msgspec.json.encode(value), value


def _order(said: tuple[Stamp, bytes, object]) -> tuple[Stamp, bytes]:
    return said[0], said[1]


def _newest(telling: Shipment) -> tuple[Stamp, str]:
    return _stamp(telling), "" if telling.since is None else telling.since.isoformat()


def _stamp(telling: Shipment) -> Stamp:
    step = FULFILMENT.index(telling.state) if telling.state in FULFILMENT else -1
    return telling.version, step
