"""Goods sold on account: invoices that are owed, credit notes, and what settles them.

An order paid as it is placed has its invoices as documents alone. One on account tells each as a
fact besides, because it is an open item of its buyer until it is paid or credited.
"""

from __future__ import annotations

from datetime import date

from tillbridge.canonical.documents import DocumentLine
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.valued import Valued, ValuedRow

INVOICE, CREDIT_NOTE = "invoice", "credit_note"
INVOICE_KINDS = (INVOICE, CREDIT_NOTE)
SETTLED_BY = ("credit", "payment")
"""What takes an amount off an invoice."""


class InvoiceIssued(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """Goods were invoiced before they were paid: the buyer owes `total`, minor units with the tax
    we collect.

    invoice: its key, the operation id its document has at the ERP. number: ours for it, until the
    ERP gives its own. due_on: by when it is to be paid. party: the buyer's.
    """

    invoice: str
    number: str
    total: int
    due_on: date
    lines: tuple[DocumentLine, ...] = ()
    party: str = ""


class CreditNoteIssued(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Invoiced goods were taken back or cheapened; total: minor units, positive. What it takes off
    which invoice follows as ReceivableSettled. credit_note: its key; otherwise as InvoiceIssued.
    """

    credit_note: str
    number: str
    currency: str
    order: str
    total: int
    channel: str = ""
    lines: tuple[DocumentLine, ...] = ()
    party: str = ""


class ReceivableSettled(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """Credit notes and payments of an order were put against its invoices.

    rows: kind is one of SETTLED_BY, item the invoice's key; negative when it is open again.
    """

    rows: tuple[ValuedRow, ...]


class BankPaymentMatched(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a bank statement pays an order on account.

    amount: minor units, positive. bank: connection that reads the statement; tender: ours by which
    such money comes. invoice: key of the invoice its text names, "" = the order alone. reference:
    statement and line. Told as paid by the channel too, it is the same money.
    """

    order: str
    currency: str
    amount: int
    bank: str
    tender: str
    reference: str
    invoice: str = ""
