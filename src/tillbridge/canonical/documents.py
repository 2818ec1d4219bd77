"""Documents for ERPs and channels, and the answers they get.

A document carries one operation id per business operation (never per attempt): the same id sent
twice must leave one document over there.
"""

from __future__ import annotations

from datetime import date

import msgspec

from tillbridge.canonical.channel_documents import (
    CHANNEL_KINDS,
    FulfilmentDocument,
    OrderCancelDocument,
    RefundDocument,
)
from tillbridge.canonical.fact import Command, Fact
from tillbridge.canonical.orders import OrderLine, Place
from tillbridge.canonical.taxes import TAX_KINDS, LineTaxes, TaxDocument

GOODS_KINDS = ("delivery", "customer_return", "stock_move")
REQUEST, CALL_OFF = "fulfilment_request", "fulfilment_cancel"
REQUEST_KINDS = (REQUEST, CALL_OFF)
DOCUMENT_KINDS = (
    "sales_order",
    "sales_order_change",
    "sales_order_cancel",
    "invoice",
    "credit_note",
    "journal",
    "purchase_proposal",
    *GOODS_KINDS,
    *REQUEST_KINDS,
    *TAX_KINDS,
    *CHANNEL_KINDS,
)
REJECTED, CANCELLED, TOO_LATE = "rejected", "cancelled", "too_late"
ANSWERS = ("", REJECTED, CANCELLED, TOO_LATE)
"""What a place says of a request ("" = it will do it, or rejected) or of calling one off."""
IN_TRANSIT = "in_transit"
"""The end of a stock move that lies between two places of ours."""


class SalesOrderDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A confirmed sales order: number people know, channel, buyer (party id) and lines."""

    number: str
    channel: str
    currency: str
    order_date: date
    total: int
    lines: tuple[OrderLine, ...]
    party: str = ""
    location: str = ""
    ship_to: Place = Place()


class SalesOrderChangeDocument(SalesOrderDocument, frozen=True, kw_only=True, omit_defaults=True):
    """What a sales order is to be from now on, whole: lines, buyer and address as they stand.

    order: operation id of the sales order it changes.
    """

    order: str


class SalesOrderCancelDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Nothing of a sales order is wanted any more. order: its operation id; reason: the channel's
    word for it.
    """

    order: str
    number: str
    channel: str
    currency: str
    cancel_date: date
    reason: str = ""
    party: str = ""
    location: str = ""


class DocumentLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of an invoice or credit note: what of the order's line is invoiced, minor units.

    quantity in thousandths; net without tax; taxes as (jurisdiction, amount) pairs.
    """

    line: str
    kind: str
    product: str
    quantity: int
    net: int
    taxes: tuple[tuple[str, int], ...] = ()
    title: str = ""


class InvoiceDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An invoice for what was earned so far and not yet invoiced; its total is law.

    order: operation id of the sales order it belongs to. number: the order number people know.
    moves_goods: False where the goods are told by documents of their own (`delivery`). paid_from:
    our account of buyers' money, where journals tell the ERP of it: what the buyer owes on the
    document is cleared against that account as soon as it is booked; "" = it stays open there.
    """

    order: str
    number: str
    channel: str
    currency: str
    invoice_date: date
    total: int
    lines: tuple[DocumentLine, ...]
    party: str = ""
    location: str = ""
    moves_goods: bool = True
    paid_from: str = ""


class CreditNoteDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A credit note for a reversal; amounts positive, its total is law. paid_from: as of an
    invoice.
    """

    order: str
    number: str
    channel: str
    currency: str
    invoice_date: date
    total: int
    lines: tuple[DocumentLine, ...]
    party: str = ""
    location: str = ""
    paid_from: str = ""


class JournalLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One account of a journal: our account name, signed minor units (debit positive)."""

    account: str
    amount: int
    item: str = ""


class JournalDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A balanced journal: one entry, or a day's summary (entries counts what it sums up)."""

    currency: str
    journal_date: date
    narration: str
    lines: tuple[JournalLine, ...]
    entries: int = 1


class GoodsLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods of a document: thousandths of `unit` ("" = the item's own), positive.

    line: the order's line. net: what that many were sold for, minor units without tax.
    """

    line: str
    product: str
    quantity: int
    unit: str = ""
    net: int = 0
    title: str = ""


class GoodsDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods of an order that left a place of ours (`delivery`) or came back to it
    (`customer_return`).

    order: operation id of the sales order. tracking: of the parcel, "" = not told.
    """

    order: str
    number: str
    channel: str
    currency: str
    goods_date: date
    location: str
    lines: tuple[GoodsLine, ...]
    party: str = ""
    tracking: str = ""


class FulfilmentRequestDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods of an order that those who run a place are asked to pick and send, or to lay ready
    (`collect`: the buyer comes for them). line.unit: the order's ("" = the item's own).
    """

    number: str
    channel: str
    currency: str
    request_date: date
    location: str
    lines: tuple[GoodsLine, ...]
    party: str = ""
    ship_to: Place = Place()
    collect: bool = False


class FulfilmentCancelDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request is called off, all of it. request: its operation id; lines: what it asked for."""

    request: str
    number: str
    channel: str
    currency: str
    cancel_date: date
    location: str
    lines: tuple[GoodsLine, ...]
    reason: str = ""


class StockMoveDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods that changed place inside the house. origin, destination: our location codes;
    IN_TRANSIT = on the way between two of them, "" = not one of ours any more, or not before
    (lost, found, damaged: `reason`). number: what people call it.
    """

    number: str
    currency: str
    goods_date: date
    origin: str
    destination: str
    lines: tuple[GoodsLine, ...]
    reason: str = ""

    @property
    def location(self) -> str:
        """The place of ours it is about: where the goods left, else where they came."""
        ends = (self.origin, self.destination)
        return next((end for end in ends if end not in ("", IN_TRANSIT)), "")


class WantedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """So much of a product, thousandths of its base unit."""

    product: str
    quantity: int


class PurchaseProposalDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the ERP's buyers are asked to buy for a location of ours; it has no amounts.

    currency: of the location's entity.
    """

    number: str
    supplier: str
    location: str
    proposal_date: date
    due_date: date
    lines: tuple[WantedLine, ...]
    currency: str


DocumentBody = (
    SalesOrderDocument
    | SalesOrderChangeDocument
    | SalesOrderCancelDocument
    | InvoiceDocument
    | CreditNoteDocument
    | JournalDocument
    | GoodsDocument
    | StockMoveDocument
    | PurchaseProposalDocument
    | TaxDocument
    | FulfilmentRequestDocument
    | FulfilmentCancelDocument
    | FulfilmentDocument
    | RefundDocument
    | OrderCancelDocument
)


class SubmitDocument(Command, frozen=True, kw_only=True, omit_defaults=True):
    """Ask publishing to get one document to `connection` ("" = the ERP of `entity`); exactly one
    body is set, under the name of its kind (goods: `delivery` and `customer_return`).
    """

    kind: str
    entity: str
    connection: str = ""
    sales_order: SalesOrderDocument | None = None
    sales_order_change: SalesOrderChangeDocument | None = None
    sales_order_cancel: SalesOrderCancelDocument | None = None
    invoice: InvoiceDocument | None = None
    credit_note: CreditNoteDocument | None = None
    journal: JournalDocument | None = None
    goods: GoodsDocument | None = None
    stock_move: StockMoveDocument | None = None
    purchase_proposal: PurchaseProposalDocument | None = None
    tax: TaxDocument | None = None
    fulfilment_request: FulfilmentRequestDocument | None = None
    fulfilment_cancel: FulfilmentCancelDocument | None = None
    fulfilment: FulfilmentDocument | None = None
    refund: RefundDocument | None = None
    order_cancel: OrderCancelDocument | None = None

    @property
    def body(self) -> DocumentBody:
        """The one body; raises ValueError when the command carries none."""
        found = (
            self.sales_order
            or self.invoice
            or self.credit_note
            or self.journal
            or self.goods
            or self.sales_order_change
            or self.sales_order_cancel
            or self.stock_move
            or self.purchase_proposal
            or self.tax
            or self.fulfilment_request
            or self.fulfilment_cancel
            or self.fulfilment
            or self.refund
            or self.order_cancel
        )
        if found is None:
            raise ValueError(f"document {self.id} has no body")
        return found


class DocumentAccepted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The ERP took the document. number: what its users call it. move: its own ledger move, if
    it booked one (gl = documents), with that move's total in minor units as a check. taxes: what
    a tax service worked out. answer: of those who were asked for something, one of ANSWERS; words:
    their own for it.
    """

    operation: str
    kind: str
    remote_id: str
    number: str
    destination: str
    move: str = ""
    move_total: int | None = None
    taxes: tuple[LineTaxes, ...] = ()
    answer: str = ""
    words: str = ""


class DocumentRefused(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The ERP refused the document for good; words are its own."""

    operation: str
    kind: str
    destination: str
    words: str
