"""A house with a web shop, a store and an ERP: raw deliveries in, books and documents out.

Everything is real: the workspace `tillbridge init` makes, the connectors, all rooms on PostgreSQL,
the sandbox ERP over HTTP. Only the outside tells made-up things.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog
from psycopg import Connection
from typer.testing import CliRunner

from tests.connectors.shopify.payloads import bag, line, order, tax
from tillbridge.app.cli.main import app
from tillbridge.app.hub import Hub
from tillbridge.app.ingest import ingest
from tillbridge.app.pending import Pending
from tillbridge.app.settings import load_workspace
from tillbridge.app.worker import chores, drain
from tillbridge.app.workspace import write
from tillbridge.atoms.clock import Clock
from tillbridge.atoms.ids import SeededIds
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.connectors.sandbox.erp_simulator import ErpSimulator
from tillbridge.connectors.shopify import webhooks
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Item
from tillbridge.durable import log, messages
from tillbridge.durable.agreed_clock import AgreedClock
from tillbridge.inbox.arrivals import arrival
from tillbridge.mapping.names import NameRow, set_names
from tillbridge.posting.money.report import trial_balance
from tillbridge.watch.verify import verify

__all__ = ["House", "bag", "house", "line", "order", "paid_order", "refund", "shipment", "tax"]

NAMES = (
    ("web", "product", "SKU-1", "P1"),
    ("web", "product", "SKU-2", "P2"),
    ("web", "location", "5501", "wh-east"),
    ("web", "tender", "shopify_payments", "shop-pay"),
    ("web", "tax", "State Tax", "us-ny"),
    ("stores", "location", "12", "store-nyc"),
    ("stores", "product", "A1", "P1"),
    ("stores", "product", "A2", "P2"),
    ("stores", "tender", "Cash", "cash"),
    ("stores", "tender", "CreditDebit", "card"),
    ("stores", "tax", "NY", "us-ny"),
    ("feed", "product", "P1", "P1"),
    ("feed", "product", "P2", "P2"),
    ("feed", "location", "wh-east", "wh-east"),
    ("feed", "location", "store-nyc", "store-nyc"),
)
STOCK = b"""product,location,quantity,counted
P1,wh-east,20,2026-03-01T00:00:00Z
P2,wh-east,10,2026-03-01T00:00:00Z
P1,store-nyc,5,2026-03-01T00:00:00Z
P2,store-nyc,5,2026-03-01T00:00:00Z
"""
ADDRESS = {
    "first_name": "Canaria",
    "last_name": "Featherstone",
    "address1": "17 Yellowbird Lane",
    "city": "Albany",
    "zip": "12207",
    "country_code": "US",
    "province_code": "NY",
    "phone": "+15185550142",
}
CANARIES = ("Canaria", "Featherstone", "Yellowbird", "canaria@birds.example", "5185550142")


class House:
    """The hub of one folder and what stands around it."""

    def __init__(self, hub: Hub, erp: ErpSimulator, connection: Connection) -> None:
        self.hub = hub
        self.erp = erp
        self.connection = connection
        self._runner = hub.runner(connection)
        self._delivered = 0

    # -- what comes in ------------------------------------------------------------------------

    def names(self, rows: Iterable[tuple[str, str, str, str]] = NAMES) -> None:
        """Give names: (connection, table, theirs, ours)."""
        set_names(self.connection, [NameRow(*row) for row in rows])
        self.connection.commit()

    def web(
        self, topic: str, body: dict[str, Any], delivery: str = "", *, flow: bool = True
    ) -> str:
        """A webhook of the shop, recorded as the intake does; then carried through the rooms."""
        self._delivered += 1
        raw = msgspec.json.encode(body)
        event = delivery or f"event-{self._delivered}"
        headers = {"X-Shopify-Topic": topic, "X-Shopify-Event-Id": event}
        found = webhooks.address(headers, raw)
        item = Item(topic=found.topic, delivery=found.delivery, key=found.key, body=raw)
        numbers = messages.connection_ids(self.connection, ["web"])
        incoming = arrival("web", item, datetime(2026, 3, 3, tzinfo=UTC), headers=headers)
        (stored,), records = messages.store(self.connection, [incoming], numbers)
        log.append_and_commit(self.connection, records)
        if flow:
            self.flow()
        return stored.outcome

    def file(self, name: str, content: bytes, file: str = "") -> None:
        """A file of a connection; then carried through the rooms."""
        self._delivered += 1
        path = self.hub.workspace.folder / (file or f"{name}-{self._delivered}.dat")
        path.write_bytes(content)
        ingest(self.hub, name, [path], "")

    def flow(self) -> None:
        """Everything in the log through the rooms."""
        self._runner.drain()

    def drain(self, seconds: float = 10.0) -> Pending:
        """Everything, documents too."""
        return drain(self.hub, seconds)

    def fault(self, do: str, **words: Any) -> None:
        """What goes wrong at the ERP from now on."""
        self.erp.faults.add(msgspec.convert({"do": do, **words}, Fault))

    def look_at_tills(self) -> None:
        """What the worker's schedule does every few minutes, and what follows from it."""
        chores(self.hub)["tills"](self.connection, self.hub.clock.now())
        self.connection.commit()
        self.flow()

    def settle(self) -> str:
        """What the worker's schedule does about settlements, and what follows from it."""
        told = chores(self.hub)["settlement"](self.connection, self.hub.clock.now())
        self.connection.commit()
        self.flow()
        return told

    def verb(self, *words: str, code: int = 0) -> str:
        """What a verb prints for a person, or tells when it ends with another code."""
        folder = str(self.hub.workspace.folder)
        try:
            done = CliRunner().invoke(
                app, ["--workspace", folder, *words], env={"TILLBRIDGE_DATABASE_URL": self.hub.url}
            )
        finally:
            structlog.reset_defaults()
        assert done.exit_code == code, done.output or repr(done.exception)
        return done.output or str(done.exception)

    # -- what became of it --------------------------------------------------------------------

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Any rows, outside of a transaction."""
        found = self.connection.execute(query.encode(), values or None).fetchall()
        self.connection.rollback()
        return found

    def stock(self, product: str, location: str = "wh-east") -> tuple[int, int]:
        """On hand and reserved, whole pieces."""
        rows = self.rows(
            "select on_hand / 1000, reserved / 1000 from stock"
            " where product = %s and location = %s and condition = 'sellable'",
            product,
            location,
        )
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def balances(self, entity: str = "us") -> dict[str, int]:
        """The hub's trial balance without zeros."""
        found = {b.account: b.amount for b in trial_balance(self.connection, entity) if b.amount}
        self.connection.rollback()
        return found

    def erp_balances(self, currency: str = "USD") -> dict[str, int]:
        """The ERP's own ledger without zeros."""
        found = self.erp.store.balances()
        return {account: sum_ for (of, account), sum_ in found.items() if of == currency and sum_}

    def documents(self) -> dict[str, str]:
        """State of every document by operation."""
        return dict(self.rows("select op, state from document order by op"))

    def statuses(self) -> dict[str, str]:
        """How every order stands, in one word, by the number people know."""
        return dict(self.rows("select number, status from order_state order by number"))

    def cases(self, state: str = "open") -> list[str]:
        """Reasons of all cases in a state."""
        return [
            r for (r,) in self.rows("select reason from exception_case where state = %s", state)
        ]

    def lies(self, *, quiesced: bool = True) -> list[str]:
        """Broken invariants."""
        with self.hub.connect() as connection:
            chart = self.hub.book.chart
            verdict = verify(connection, quiesced=quiesced, deep=True, chart=chart)
        return [f"{one.name}: {one.rows}" for one in verdict.invariants if one.lies]


class OwnTime(AgreedClock):
    """A story with a clock of its own lives in that time, whatever the database says."""

    def set(self, connection: Connection) -> None:
        """Nobody is asked."""


@contextmanager
def house(
    folder: Path,
    url: str,
    *,
    clock: Clock | None = None,
    furnish: Callable[[Path], None] | None = None,
    reach: Mapping[str, Mapping[str, Any]] | None = None,
    payments: str = "hub",
) -> Iterator[House]:
    """A house in a new folder over a database of its own, all names known and the shelves full.

    furnish: changes the workspace before it is read. reach: settings of connections laid over its
    own, for another ERP than the sandbox's. payments: whether the ERP is told of payments, too
    (`journals`); where a story is about something else it is not, and has fewer documents to name.
    """
    write(folder, SeededIds(1))
    _payments(folder / "tillbridge.toml", payments)
    if furnish is not None:
        furnish(folder)
    workspace = load_workspace(folder)
    key = workspace.secrets("erp")["api_key"][0]
    erp = ErpSimulator(folder / "erp.sqlite", key)
    transport = HttpTransport(LOOPBACK)
    try:
        reached = {"erp": {"url": erp.start()}, **(reach or {})}
        hub = Hub(
            workspace,
            url,
            clock=clock,
            ids=SeededIds(2),
            transport=transport,
            overrides=reached,
        )
        if clock is not None:
            hub.agreed_clock = OwnTime(clock)
        with hub.connect() as connection:
            found = House(hub, erp, connection)
            found.names()
            found.file("feed", STOCK, "opening.csv")
            yield found
    finally:
        transport.close()
        erp.close()


def _payments(settings: Path, how: str) -> None:
    text = settings.read_text()
    assert 'payments = "journals"\n' in text
    settings.write_text(text.replace('payments = "journals"\n', f'payments = "{how}"\n'))


def paid_order(
    number: int, lines: Sequence[dict[str, Any]], total: str, **fields: Any
) -> dict[str, Any]:
    """An order of the shop, paid by card, with a buyer who has a name and an address."""
    full: dict[str, Any] = {
        "id": number,
        "name": f"#{number}",
        "financial_status": "paid",
        "payment_gateway_names": ["shopify_payments"],
        "email": "canaria@birds.example",
        "shipping_address": ADDRESS,
        "billing_address": ADDRESS,
        "customer": {"id": 77, "email": "canaria@birds.example", "first_name": "Canaria"},
        **fields,
    }
    return order(*lines, total=total, **full)


def shipment(number: int, order_id: int, lines: dict[int, int], **fields: Any) -> dict[str, Any]:
    """A fulfilment told alone; lines: line item -> pieces."""
    return {
        "id": number,
        "order_id": order_id,
        "status": "success",
        "created_at": "2026-03-03T09:00:00-05:00",
        "updated_at": f"2026-03-03T09:00:{number % 60:02}-05:00",
        "location_id": 5501,
        "line_items": [{"id": item, "quantity": pieces} for item, pieces in lines.items()],
        **fields,
    }


def refund(
    number: int, order_id: int, lines: Sequence[dict[str, Any]], paid: str, **fields: Any
) -> dict[str, Any]:
    """A refund told alone with its payment; one without goods tells its amount as a discrepancy, as
    the shop does.
    """
    allowance = {"kind": "refund_discrepancy", "amount": f"-{paid}", "tax_amount": "0.00"}
    return {
        "id": number,
        "order_id": order_id,
        "created_at": "2026-03-04T09:00:00-05:00",
        "refund_line_items": list(lines),
        "order_adjustments": [] if lines else [allowance],
        "transactions": [
            {
                "id": number * 10,
                "kind": "refund",
                "status": "success",
                "amount": paid,
                "currency": "USD",
                "gateway": "shopify_payments",
                "created_at": "2026-03-04T09:00:00-05:00",
            }
        ],
        **fields,
    }
