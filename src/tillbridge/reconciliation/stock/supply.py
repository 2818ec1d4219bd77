"""Supply that is late: past its due date, not closed, and orders were promised goods out of it.

The case closes by itself when nothing waits any more: the goods came, another date was told, or
the orders found other goods.
"""

from __future__ import annotations

from datetime import datetime

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import Settled, settle

QUERIES = load("tillbridge.reconciliation.stock", "supply.sql")


def tell_late(connection: Connection, now: datetime) -> Settled:
    """Open a case per late supply and close those that are so no more. The caller commits."""
    found: dict[str, NeedsDecision] = {}
    for supply, due_at, orders, places in connection.execute(QUERIES.late, (now,)):
        words = f"supply {supply} was due on {due_at:%Y-%m-%d}; {orders} orders wait for it"
        found[key_of("supply", supply)] = NeedsDecision(
            "supply_late",
            words,
            owner="fulfilment",
            details={"supply": supply, "orders": orders, "locations": sorted(places)},
        )
    return settle(connection, "supply_late", found, now)


def look_at_supply(connection: Connection, now: datetime) -> str:
    """What the schedule runs, and says of it."""
    told = tell_late(connection, now)
    return f"{told.opened} supplies late, {told.closed} not any more"
