"""Pick-ups nobody fetched in time become a fact: `PickupExpired`, told by a chore of the worker.

How long goods wait is a term of the order (`pickup_days`). The fact carries the version of the
telling it ends, so a buyer who comes at the last moment is right whichever is told first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from tillbridge.app.hub import Hub
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.shipments import PickupExpired
from tillbridge.durable import log
from tillbridge.durable.rooms import Connection, Record
from tillbridge.orchestration.orders.pickup import overdue
from tillbridge.orchestration.orders.state import OrderState, Shipment
from tillbridge.orchestration.policies import Policies
from tillbridge.orchestration.room import QUERIES

_PAGE = 500
_NEVER = datetime.min.replace(tzinfo=UTC)
_DECODER = msgspec.json.Decoder(OrderState)


def expire_pickups(hub: Hub, connection: Connection, now: datetime) -> str:
    """Tell every pick-up whose time is over; what the chore says of it. The caller commits."""
    zones = {place.code: place.timezone for place in hub.workspace.settings.location}
    facts = [
        _told(state, *due, zones)
        for state, days in _waiting(connection, hub.policies)
        for due in overdue(state, days, now)
    ]
    records = [Record(one.key, type(one).__name__, one, lane_of(one.key)) for one in facts]
    if records:
        log.append(connection, records)
    return f"{len(records)} pick-ups expired"


def _waiting(connection: Connection, policies: Policies) -> Iterator[tuple[OrderState, int]]:
    """Orders with goods that lie ready, and for how many days they wait; page by page."""
    last = (_NEVER, "")
    while True:
        values = (*last, _PAGE)
        rows = connection.execute(QUERIES.waiting_for_buyers, values, binary=True).fetchall()
        for _, _, body in rows:
            state = _DECODER.decode(body)
            if state.order is not None and not state.order.test:
                terms = policies.terms(state.order, state.entities.selling)
                yield state, terms.pickup_days
        if len(rows) < _PAGE:
            return
        last = (rows[-1][1], rows[-1][0])


def _told(
    state: OrderState, shipment: str, one: Shipment, end: datetime, zones: Mapping[str, str]
) -> PickupExpired:
    zone = ZoneInfo(zones.get(one.location, "UTC"))
    return PickupExpired(
        key=state.key,
        id=f"{state.key}/shipment/{shipment}/expired@{one.version}",
        source="hub",
        mapping="hub/1",
        occurred_at=end,
        business_date=end.astimezone(zone).date(),
        entities=state.entities,
        shipment=shipment,
        version=one.version,
        location=one.location,
    )
