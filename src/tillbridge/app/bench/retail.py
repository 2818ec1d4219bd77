"""The bench's retailer: a web shop with cross-references and ample stock, over any database."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tillbridge.app.hub import Hub
from tillbridge.app.sealed_secrets import SealedSecrets
from tillbridge.app.settings import load_workspace
from tillbridge.app.workspace import init
from tillbridge.atoms.ids import SystemIds, key_of, lane_of
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.stock import StockCounted
from tillbridge.connectors.sandbox.assortment import PRODUCTS, late_row, xref_rows
from tillbridge.durable import log, messages
from tillbridge.durable.rooms import Connection, Record
from tillbridge.mapping.names import NameRow, set_names

LOCATION = "wh-east"
PLENTY = 10**12
_NO_ERP = {"erp": {"url": "http://127.0.0.1:9"}}
CONNECTION = "web"


@contextmanager
def bench_hub(url: str) -> Iterator[Hub]:
    """A hub of a fresh example workspace over the database, its shop's names set, stock filled.

    Workspace and master key are gone afterwards.
    """
    place = Path(tempfile.mkdtemp(prefix="tillbridge-bench-"))
    folder = place / "workspace"
    try:
        init(folder, SystemIds())
        with Hub(load_workspace(folder), url, overrides=_NO_ERP) as hub:
            _open(hub)
            yield hub
    finally:
        SealedSecrets(folder).forget_master()
        shutil.rmtree(place, ignore_errors=True)


def _open(hub: Hub) -> None:
    with hub.connect() as connection:
        rows = [*xref_rows(), late_row()]
        set_names(connection, [NameRow(r.connection, r.table, r.theirs, r.ours) for r in rows])
        connection.commit()
        log.append_and_commit(connection, _opening_stock())
        hub.runner(connection).drain()


def _opening_stock() -> list[Record]:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    facts = [
        StockCounted(
            key=key_of("stock", LOCATION, product.code),
            id=f"opening/{product.code}",
            source="feed",
            mapping="bench/1",
            occurred_at=at,
            business_date=at.date(),
            entities=Entities(selling="us"),
            product=product.code,
            location=LOCATION,
            quantity=PLENTY,
            counted_at=at,
        )
        for product in PRODUCTS
    ]
    return [
        Record(key=fact.key, type="StockCounted", body=fact, lane=lane_of(fact.key))
        for fact in facts
    ]


def arrivals(bodies: Iterable[bytes], ids: Sequence[str], at: datetime) -> list[messages.Incoming]:
    """Deliveries of paid orders."""
    return [
        messages.Incoming(
            connection=CONNECTION,
            topic="orders/paid",
            delivery=f"orders/paid/{number}",
            body=body,
            received_at=at,
            key=key_of("order", CONNECTION, number),
        )
        for number, body in zip(ids, bodies, strict=True)
    ]


def store(connection: Connection, rows: Sequence[messages.Incoming], batch: int = 500) -> None:
    """Store deliveries as intake does, `batch` per commit."""
    numbers = messages.connection_ids(connection, [CONNECTION])
    connection.commit()
    for start in range(0, len(rows), batch):
        _, records = messages.store(connection, rows[start : start + batch], numbers)
        log.append_and_commit(connection, records)


def order_ids(bodies: Sequence[bytes]) -> list[str]:
    """The shop's order ids, as the key hint of intake finds them."""
    return [body.split(b'"id":', 1)[1].split(b",", 1)[0].strip().decode() for body in bodies]
