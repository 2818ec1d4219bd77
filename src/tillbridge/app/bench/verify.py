"""`bench verify`: how long `verify` takes on a hub of a million records.

One day of the example retailer goes through the real hub and a sandbox ERP; its rows are then
multiplied in sets, each copy under keys of its own, so that every invariant holds on the large hub
too. A run that finds a lie fails.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from psycopg import sql

from tillbridge.app.bench.multiply import multiply
from tillbridge.app.bench.retail import bench_hub
from tillbridge.app.hub import Hub
from tillbridge.app.ingest import ingest
from tillbridge.app.worker import drain
from tillbridge.atoms.ids import key_of
from tillbridge.connectors.sandbox.erp_simulator import ErpSimulator
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.connectors.shopify import webhooks
from tillbridge.durable import log, messages
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect
from tillbridge.watch.verify import Verdict, verify

ORDERS = 100
SLOWEST = 5
COUNTED = ("record", "message", "order_state", "sale_state", "entry", "entry_line", "document")
Tell = Callable[[str], None]


def run(url: str, *, records: int, progress: Tell) -> dict[str, Any]:
    """Measure; the result's keys are described in docs/operations.md. Raises AssertionError."""
    with bench_hub(url) as hub:
        progress(f"a day of {ORDERS} web orders and three stores")
        _trade(hub)
    with connect(url, statement_timeout_ms=0) as connection:
        progress(f"multiplied to {records} records")
        multiply(connection, records)
        sizes = {name: _count(connection, name) for name in COUNTED}
        progress("verify")
        verdict = verify(connection, quiesced=True, chart=hub.book.chart)
        progress("verify --deep")
        deep = verify(connection, deep=True, quiesced=True, chart=hub.book.chart)
    lies = [f"{one.name}: {one.rows[:1]}" for one in deep.invariants if one.lies]
    if lies:
        raise AssertionError("; ".join(lies))
    return {
        "bench": "verify",
        "seconds": verdict.seconds,
        "deep_seconds": deep.seconds,
        "records": sizes.pop("record"),
        "checked": deep.checked,
        **sizes,
        "slowest": _slowest(verdict),
    }


def _trade(hub: Hub) -> None:
    """The retailer's day, all documents delivered."""
    folder = hub.workspace.folder
    day = day_of_trade(1, ORDERS)
    erp = ErpSimulator(folder / "erp.sqlite", hub.workspace.secrets("erp")["api_key"][0])
    try:
        hub = hub.reaching({"erp": {"url": erp.start()}})
        _ingest(hub, "feed", folder / "stock.csv", day.opening_stock)
        with hub.connect() as connection:
            _webhooks(hub, connection, day)
        for location, body in day.poslogs.items():
            _ingest(hub, "stores", folder / f"{location}.xml", body)
        left = drain(hub, 120.0)
    finally:
        erp.close()
    if left.moving or left.held or left.parked:
        raise AssertionError(f"the day did not come to rest: {left}")


def _ingest(hub: Hub, name: str, path: Path, body: bytes) -> None:
    path.write_bytes(body)
    ingest(hub, name, [path], "")


def _webhooks(hub: Hub, connection: Connection, day: DayOfTrade) -> None:
    """The day's deliveries as intake stores them."""
    numbers = messages.connection_ids(connection, ["web"])
    rows = []
    for place, told in enumerate(day.deliveries):
        headers = {"X-Shopify-Topic": told.topic, "X-Shopify-Event-Id": f"bench-{place}"}
        found = webhooks.address(headers, told.body)
        rows.append(
            messages.Incoming(
                connection="web",
                topic=found.topic,
                delivery=found.delivery,
                body=told.body,
                received_at=hub.clock.now(),
                key=found.key or key_of("delivery", "web", str(place)),
            )
        )
    _, records = messages.store(connection, rows, numbers)
    log.append_and_commit(connection, records)


def _count(connection: Connection, name: str) -> int:
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(name))
    row = connection.execute(query).fetchone()
    connection.rollback()
    return int(row[0]) if row else 0


def _slowest(verdict: Verdict) -> dict[str, float]:
    """Seconds of what took longest; what is not an invariant is the reading beforehand."""
    found = {one.name: one.seconds for one in verdict.invariants}
    found["(reading the log and the orders once)"] = round(verdict.seconds - sum(found.values()), 3)
    longest = sorted(found.items(), key=lambda one: -one[1])
    return dict(longest[:SLOWEST])
