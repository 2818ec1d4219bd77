"""Authorisations that lapse soon, told to their orders: a time-out is a fact as any other."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.payments import AuthorizationLapsing
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.orchestration.orders.state import OrderState

QUERIES = load("tillbridge.reconciliation", "holds.sql", "lapsing")
AHEAD = timedelta(days=1)
"""So long before it lapses somebody is told."""
_DECODER = msgspec.json.Decoder(OrderState)


def tell_lapsing(connection: Connection, now: datetime) -> int:
    """Tell orders of authorisations that lapse within a day; gives how many. The caller commits.

    Told again before the flow took it in, it changes nothing.
    """
    rows = connection.execute(QUERIES.lapsing, (now + AHEAD,), binary=True).fetchall()
    records = []
    for key, at, body in rows:
        state = _DECODER.decode(body)
        fact = AuthorizationLapsing(
            key=key,
            id=f"{key}/lapsing/{state.lapses}",
            source="hub",
            mapping="hub/1",
            occurred_at=now,
            business_date=now.date(),
            entities=state.entities,
            reference=state.lapses,
            until=at,
        )
        records.append(Record(key, type(fact).__name__, fact, lane_of(key)))
    if records:
        log.append(connection, records)
    return len(records)


def look_at_holds(connection: Connection, now: datetime) -> str:
    """What the schedule runs, and says of it."""
    return f"told {tell_lapsing(connection, now)} authorisations that lapse"
