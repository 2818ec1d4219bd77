"""Documents for the ERP and the answers they get.

A document carries one operation id per business operation (never per attempt): the same id sent
twice must leave one document over there.
"""

from __future__ import annotations

from datetime import date

import msgspec

from tillbridge.canonical.fact import Command, Fact
from tillbridge.canonical.orders import OrderLine, Place

DOCUMENT_KINDS = ("sales_order", "invoice", "credit_note", "journal")


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


class CreditNoteDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A credit note for a reversal; amounts positive, its total is law."""

    order: str
    number: str
    channel: str
    currency: str
    invoice_date: date
    total: int
    lines: tuple[DocumentLine, ...]
    party: str = ""
    location: str = ""


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


DocumentBody = SalesOrderDocument | InvoiceDocument | CreditNoteDocument | JournalDocument


class SubmitDocument(Command, frozen=True, kw_only=True, omit_defaults=True):
    """Ask publishing to get one document to the ERP of `entity`; exactly one body is set."""

    kind: str
    entity: str
    sales_order: SalesOrderDocument | None = None
    invoice: InvoiceDocument | None = None
    credit_note: CreditNoteDocument | None = None
    journal: JournalDocument | None = None

    @property
    def body(self) -> DocumentBody:
        """The one body; raises ValueError when the command carries none."""
        found = self.sales_order or self.invoice or self.credit_note or self.journal
        if found is None:
            raise ValueError(f"document {self.id} has no body")
        return found


class DocumentAccepted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The ERP took the document. number: what its users call it. move: its own ledger move, if
    it booked one (gl = documents), with that move's total in minor units as a check.
    """

    operation: str
    kind: str
    remote_id: str
    number: str
    destination: str
    move: str = ""
    move_total: int | None = None


class DocumentRefused(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The ERP refused the document for good; words are its own."""

    operation: str
    kind: str
    destination: str
    words: str
