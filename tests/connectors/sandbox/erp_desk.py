"""Documents for the tests of the sandbox ERP, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

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
from tillbridge.connectors.sandbox.config import SandboxSettings
from tillbridge.connectors.sandbox.connector import SandboxConnector
from tillbridge.connectors.sandbox.erp_documents import Rules
from tillbridge.connectors.sandbox.erp_simulator import ErpSimulator
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Assignment, Connection, Receipt
from tillbridge.contract.transport import Transport

KEY = "made-up-key"
DAY = date(2026, 11, 13)


class Names:
    """A directory of a few names."""

    def __init__(self, rows: Mapping[tuple[str, str], str] | None = None) -> None:
        self._rows = dict(rows or {})

    def theirs(self, table: str, ours: str) -> str | None:
        return self._rows.get((table, ours))


def sales_order(operation: str, product: str = "P1001", total: int = 2178) -> SubmitDocument:
    line = OrderLine(
        line="1",
        kind="goods",
        product=product,
        quantity=2000,
        list=2200,
        discount=200,
        taxes=(TaxLine(code="us-ny", jurisdiction="us-ny", amount=178),),
    )
    return SubmitDocument(
        key=f"order/web/{operation}",
        id=operation,
        kind="sales_order",
        entity="us",
        sales_order=SalesOrderDocument(
            number="#1001",
            channel="web",
            currency="USD",
            order_date=DAY,
            total=total,
            lines=(line,),
            party="p-1",
        ),
    )


def invoice(operation: str, order: str = "", total: int = 2178) -> SubmitDocument:
    line = DocumentLine(
        line="1", kind="goods", product="P1001", quantity=2000, net=2000, taxes=(("us-ny", 178),)
    )
    return SubmitDocument(
        key=f"order/web/{operation}",
        id=operation,
        kind="invoice",
        entity="us",
        invoice=InvoiceDocument(
            order=order,
            number="#1001",
            channel="web",
            currency="USD",
            invoice_date=DAY,
            total=total,
            lines=(line,),
        ),
    )


def credit_note(operation: str, order: str = "") -> SubmitDocument:
    line = DocumentLine(
        line="1", kind="goods", product="P1001", quantity=1000, net=1000, taxes=(("us-ny", 89),)
    )
    return SubmitDocument(
        key=f"order/web/{operation}",
        id=operation,
        kind="credit_note",
        entity="us",
        credit_note=CreditNoteDocument(
            order=order,
            number="#1001",
            channel="web",
            currency="USD",
            invoice_date=DAY,
            total=1089,
            lines=(line,),
        ),
    )


def change(operation: str, order: str, total: int = 1089) -> SubmitDocument:
    """The order is one piece from now on."""
    line = OrderLine(
        line="1",
        kind="goods",
        product="P1001",
        quantity=1000,
        list=1000,
        taxes=(TaxLine(code="us-ny", jurisdiction="us-ny", amount=89),),
    )
    return SubmitDocument(
        key=f"order/web/{operation}",
        id=operation,
        kind="sales_order_change",
        entity="us",
        sales_order_change=SalesOrderChangeDocument(
            **_about(order), order_date=DAY, total=total, lines=(line,)
        ),
    )


def cancel(operation: str, order: str) -> SubmitDocument:
    return SubmitDocument(
        key=f"order/web/{operation}",
        id=operation,
        kind="sales_order_cancel",
        entity="us",
        sales_order_cancel=SalesOrderCancelDocument(**_about(order), cancel_date=DAY),
    )


def goods(kind: str, operation: str, order: str, pieces: int = 1) -> SubmitDocument:
    """Goods out of wh-east, or back to it."""
    line = GoodsLine(line="1", product="P1001", quantity=pieces * 1000)
    return SubmitDocument(
        key=f"order/web/{operation}",
        id=operation,
        kind=kind,
        entity="us",
        goods=GoodsDocument(**_about(order), goods_date=DAY, location="wh-east", lines=(line,)),
    )


def stock_move(operation: str, origin: str, destination: str, pieces: int = 1) -> SubmitDocument:
    return SubmitDocument(
        key=f"transfer/{operation}",
        id=operation,
        kind="stock_move",
        entity="us",
        stock_move=StockMoveDocument(
            number="T-1",
            currency="USD",
            goods_date=DAY,
            origin=origin,
            destination=destination,
            lines=(GoodsLine(line="1", product="P1001", quantity=pieces * 1000),),
        ),
    )


def _about(order: str) -> dict[str, Any]:
    return {"order": order, "number": "#1001", "channel": "web", "currency": "USD"}


def journal(operation: str, debit: int = 1500, credit: int = 1500) -> SubmitDocument:
    return SubmitDocument(
        key=f"journal/us/stores/{operation}",
        id=operation,
        kind="journal",
        entity="us",
        journal=JournalDocument(
            currency="USD",
            journal_date=DAY,
            narration="stores",
            lines=(JournalLine("cash", debit), JournalLine("sales/goods", -credit)),
            entries=3,
        ),
    )


def connection_to(url: str, timeout_seconds: float = 5.0) -> Connection:
    return Connection(
        name="erp",
        entity="us",
        channel="",
        currency="USD",
        settings=SandboxSettings(url=url, timeout_seconds=timeout_seconds),
    )


class Desk:
    """A running ERP and a connector that talks to it."""

    def __init__(self, erp: ErpSimulator, transport: Transport) -> None:
        self.erp = erp
        self.connector = SandboxConnector()
        self.transport = transport

    def deliver(
        self,
        *commands: SubmitDocument,
        unknown: bool = False,
        names: Mapping[tuple[str, str], str] | None = None,
        key: str = KEY,
        timeout_seconds: float = 5.0,
    ) -> list[Receipt]:
        return self.connector.deliver(
            [Assignment(document=command, unknown=unknown) for command in commands],
            connection_to(self.erp.address, timeout_seconds),
            {"api_key": key},
            Names(names),
            self.transport,
        )


@contextmanager
def desk(folder: Path, rules: Rules | None = None) -> Iterator[Desk]:
    """An ERP in a folder of its own, stopped at the end."""
    erp = ErpSimulator(folder / "erp.sqlite", KEY, rules=rules)
    erp.start()
    transport = HttpTransport(LOOPBACK)
    try:
        yield Desk(erp, transport)
    finally:
        transport.close()
        erp.close()
