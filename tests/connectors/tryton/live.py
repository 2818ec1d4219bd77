"""One real Tryton on one real PostgreSQL for all tests that want it; up while somebody uses it."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tillbridge.app.erp.beside import Erp, erp_beside
from tillbridge.app.erp.books import (
    Books,
    Item,
    LedgerAccount,
    LegalEntity,
    Place,
    WebShop,
    accounts_of,
)
from tillbridge.app.erp.progress import NotInstallable
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.documents import (
    CreditNoteDocument,
    DocumentLine,
    GoodsDocument,
    GoodsLine,
    InvoiceDocument,
    JournalDocument,
    JournalLine,
    SalesOrderCancelDocument,
    SalesOrderChangeDocument,
    SalesOrderDocument,
    StockMoveDocument,
    SubmitDocument,
)
from tillbridge.canonical.orders import OrderLine, TaxLine
from tillbridge.connectors.tryton.client import Access, TrytonClient
from tillbridge.connectors.tryton.config import TrytonSettings
from tillbridge.connectors.tryton.connector import TrytonConnector
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Assignment, Connection, Receipt
from tillbridge.contract.transport import Transport
from tillbridge.durable.postgres import database
from tillbridge.posting.money.book import default_text
from tillbridge.posting.money.chart import parse_chart

BOOKS = Books(
    entities=(
        LegalEntity("us", "Harbor US Inc.", "USD"),
        LegalEntity("eu", "Harbor EU GmbH", "EUR"),
        # books of their own, which no other test writes into: to be compared to the last account
        LegalEntity("quay", "Quayside Inc.", "USD"),
        LegalEntity("pier", "Pier Stores Inc.", "USD"),
    ),
    first_day=date(2025, 12, 1),
    last_day=date(2026, 12, 31),
    accounts=(
        *accounts_of(parse_chart(default_text("chart.toml"), "chart.toml")),
        LedgerAccount("sales-tax/US-NY", "Sales tax of New York", "liability"),
    ),
    shops=(
        WebShop("web-us", "us", "USD"),
        WebShop("web-eu", "eu", "EUR"),
        WebShop("web", "us", "USD"),
        WebShop("quay-web", "quay", "USD"),
    ),
    places=(
        Place("wh-1", "Warehouse"),
        Place("store-1", "Store"),
        Place("store-2", "Other store"),
    ),
    items=tuple(Item(f"sku-{number}", f"Product {number}") for number in range(1, 5)),
    rates=(("EUR", "0.9"),),
)
DAY = date(2026, 3, 2)
_numbers = itertools.count(1)
_users = 0
_stack = ExitStack()
_running: list[Erp] = []


@contextmanager
def running_erp() -> Iterator[Erp]:
    """The ERP; the first user starts it, the last one stops it."""
    global _users  # noqa: PLW0603 - the count of users is the module's one state
    if not _users:
        workspace = Path(tempfile.mkdtemp(prefix="tillbridge-erp-"))
        workspace.chmod(0o711)
        _stack.callback(shutil.rmtree, workspace, ignore_errors=True)
        url = _stack.enter_context(database(workspace))
        try:
            _running.append(_stack.enter_context(erp_beside(url, workspace / "erp", BOOKS)))
        except NotInstallable as problem:
            _stack.close()
            pytest.skip(f"no Tryton on this machine: {problem}")
    _users += 1
    try:
        yield _running[0]
    finally:
        _users -= 1
        if not _users:
            _running.clear()
            _stack.close()


class OurCodes:
    """A directory without entries: the ERP was filled with the hub's own codes."""

    def theirs(self, table: str, ours: str) -> str | None:
        """Nothing is called otherwise over there."""
        return None


class Live:
    """The connector on the live ERP, and the ERP's own view for the checks."""

    def __init__(self, erp: Erp, **settings: Any) -> None:
        self.connector = TrytonConnector()
        self.transport: Transport = HttpTransport(LOOPBACK)
        self.directory = OurCodes()
        self.secrets = {"password": erp.password}
        self.connection = Connection(
            name="erp",
            entity="us",
            channel="",
            currency="USD",
            settings=TrytonSettings(url=erp.url, database=erp.database, user=erp.user, **settings),
        )
        self.client = TrytonClient(
            Access(erp.url, erp.database, erp.user, erp.password), self.transport
        )

    def deliver(
        self, *documents: SubmitDocument, parties: dict[str, PartyDetails] | None = None
    ) -> list[Receipt]:
        """Receipts of documents sent in one batch."""
        batch = [Assignment(document=document, parties=parties or {}) for document in documents]
        return self.connector.deliver(
            batch, self.connection, self.secrets, self.directory, self.transport
        )

    def read(self, model: str, domain: list[Any], *fields: str) -> list[dict[str, Any]]:
        """What Tryton itself holds."""
        return self.client.search_read(model, domain, list(fields))

    def booked(self, move: str) -> dict[str, int]:
        """Signed minor units per account code of a ledger move, debit positive."""
        sums: dict[str, int] = {}
        for row in self.read(
            "account.move.line", [["move", "=", int(move)]], "account.code", "debit", "credit"
        ):
            code = row["account."]["code"]
            sums[code] = sums.get(code, 0) + int((row["debit"] - row["credit"]) * 100)
        return sums


def fresh(kind: str) -> str:
    """An operation id never used before in this run."""
    return f"{kind}/{next(_numbers)}"


def order_line(
    line: str, net: int, *, quantity: int = 1000, product: str = "sku-1", kind: str = "goods"
) -> OrderLine:
    return OrderLine(
        line=line,
        kind=kind,
        product=product if kind == "goods" else "",
        quantity=quantity,
        list=net,
        taxes=(TaxLine("t", "US-CA", 83),),
        title=f"Line {line}",
    )


def document_line(
    line: str,
    net: int,
    *,
    tax: int = 0,
    quantity: int = 1000,
    product: str = "sku-1",
    kind: str = "goods",
    jurisdiction: str = "US-CA",
) -> DocumentLine:
    return DocumentLine(
        line=line,
        kind=kind,
        product=product if kind == "goods" else "",
        quantity=quantity,
        net=net,
        taxes=((jurisdiction, tax),) if tax else (),
        title=f"Line {line}",
    )


def sale(*lines: OrderLine, entity: str = "us", **more: Any) -> SubmitDocument:
    wanted = lines or (order_line("1", 1999), order_line("s", 490, kind="shipping"))
    body: dict[str, Any] = {
        "number": "#1001",
        "channel": f"web-{entity}",
        "currency": "USD" if entity == "us" else "EUR",
        "order_date": DAY,
        "total": sum(line.gross for line in wanted),
        "lines": wanted,
        "location": "wh-1",
    }
    operation = more.pop("operation", "") or fresh("sale")
    document = SalesOrderDocument(**(body | more))
    return SubmitDocument(
        key="order/web/1", id=operation, kind="sales_order", entity=entity, sales_order=document
    )


def charge(
    kind: str, order: str, *lines: DocumentLine, entity: str = "us", **more: Any
) -> SubmitDocument:
    body: dict[str, Any] = {
        "order": order,
        "number": "#1001",
        "channel": f"web-{entity}",
        "currency": "USD" if entity == "us" else "EUR",
        "invoice_date": DAY,
        "total": sum(line.net + sum(tax for _, tax in line.taxes) for line in lines),
        "lines": lines,
        "location": "wh-1",
    }
    operation = more.pop("operation", "") or fresh(kind)
    cls = InvoiceDocument if kind == "invoice" else CreditNoteDocument
    document = cls(**(body | more))
    return SubmitDocument(
        key="order/web/1",
        id=operation,
        kind=kind,
        entity=entity,
        invoice=document if isinstance(document, InvoiceDocument) else None,
        credit_note=document if isinstance(document, CreditNoteDocument) else None,
    )


def journal(*lines: tuple[str, int], entity: str = "us", **more: Any) -> SubmitDocument:
    wanted = lines or (("clearing", 1000), ("customer-deposits", -1000))
    body: dict[str, Any] = {
        "currency": "USD" if entity == "us" else "EUR",
        "journal_date": DAY,
        "narration": "deposits of the day",
        "lines": tuple(JournalLine(account, minor) for account, minor in wanted),
    }
    return SubmitDocument(
        key="entry/1",
        id=fresh("journal"),
        kind="journal",
        entity=entity,
        journal=JournalDocument(**(body | more)),
    )


def _about_order(order: str) -> dict[str, Any]:
    return {"order": order, "number": "#1001", "channel": "web-us", "currency": "USD"}


def change(order: str, *lines: OrderLine, **more: Any) -> SubmitDocument:
    """What an order is to be from now on."""
    body: dict[str, Any] = {
        **_about_order(order),
        "order_date": DAY,
        "total": sum(line.gross for line in lines),
        "lines": lines,
        "location": "wh-1",
    }
    return SubmitDocument(
        key="order/web/1",
        id=fresh("change"),
        kind="sales_order_change",
        entity="us",
        sales_order_change=SalesOrderChangeDocument(**(body | more)),
    )


def cancel(order: str) -> SubmitDocument:
    """Nothing of an order is wanted any more."""
    return SubmitDocument(
        key="order/web/1",
        id=fresh("cancel"),
        kind="sales_order_cancel",
        entity="us",
        sales_order_cancel=SalesOrderCancelDocument(
            **_about_order(order), cancel_date=DAY, location="wh-1"
        ),
    )


def goods(kind: str, order: str, location: str = "wh-1", **lines: int) -> SubmitDocument:
    """Goods that left or came back; lines: `l1=2` is two pieces of line 1."""
    told = tuple(
        GoodsLine(line=name[1:], product="sku-1", quantity=pieces * 1000, net=pieces * 999)
        for name, pieces in lines.items()
    )
    body = GoodsDocument(**_about_order(order), goods_date=DAY, location=location, lines=told)
    return SubmitDocument(key="order/web/1", id=fresh(kind), kind=kind, entity="us", goods=body)


def stock_move(
    origin: str, destination: str, pieces: int, product: str = "sku-2"
) -> SubmitDocument:
    """Goods that changed place inside the house."""
    return SubmitDocument(
        key="transfer/1",
        id=fresh("stock_move"),
        kind="stock_move",
        entity="us",
        stock_move=StockMoveDocument(
            number="T-1",
            currency="USD",
            goods_date=DAY,
            origin=origin,
            destination=destination,
            lines=(GoodsLine(line="1", product="sku-2", quantity=pieces * 1000),),
        ),
    )
