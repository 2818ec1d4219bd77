"""Our documents in the sandbox ERP's words, and its answers as receipts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tillbridge.atoms.money import MoneyError, to_minor, to_text
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.documents import (
    IN_TRANSIT,
    CreditNoteDocument,
    DocumentLine,
    GoodsDocument,
    GoodsLine,
    InvoiceDocument,
    JournalDocument,
    PurchaseProposalDocument,
    SalesOrderCancelDocument,
    SalesOrderChangeDocument,
    SalesOrderDocument,
    StockMoveDocument,
    SubmitDocument,
)
from tillbridge.canonical.orders import OrderLine
from tillbridge.canonical.taxes import TaxDocument
from tillbridge.connectors.sandbox.wire import (
    AccountLine,
    ErpAnswer,
    ErpDocument,
    Result,
    TaxAmount,
    TradeLine,
)
from tillbridge.connectors.sandbox.wire import GoodsLine as WireGoods
from tillbridge.contract.promises import Directory, Receipt

TRANSIT = "TRANSIT"
"""The ERP's location for goods between two places."""


def document_of(
    command: SubmitDocument,
    company: str,
    directory: Directory,
    parties: Mapping[str, PartyDetails],
) -> ErpDocument:
    """The ERP's document for a command; raises ValueError when the command carries no body."""
    body = command.body
    if isinstance(body, TaxDocument):
        raise ValueError(f"the ERP takes no {command.kind}")  # noqa: TRY004 - see the docstring
    if isinstance(body, JournalDocument):
        return _journal(command, company, body)
    if isinstance(body, PurchaseProposalDocument):
        return _purchase(command, company, body, directory)
    if isinstance(body, StockMoveDocument):
        return _stock_move(command, company, body, directory)
    day, order, moves_goods = date.min, "", True
    lines: tuple[TradeLine, ...] | tuple[WireGoods, ...] = ()
    if isinstance(body, SalesOrderDocument):
        lines = tuple(_order_line(line, body.currency, directory) for line in body.lines)
        day = body.order_date
        order = body.order if isinstance(body, SalesOrderChangeDocument) else ""
    elif isinstance(body, GoodsDocument):
        lines = tuple(_goods_line(line, directory) for line in body.lines)
        day, order = body.goods_date, body.order
    elif isinstance(body, SalesOrderCancelDocument):
        day, order = body.cancel_date, body.order
    elif isinstance(body, InvoiceDocument | CreditNoteDocument):
        lines = tuple(_invoice_line(line, body.currency, directory) for line in body.lines)
        day, order = body.invoice_date, body.order
        moves_goods = not isinstance(body, InvoiceDocument) or body.moves_goods
    else:
        raise ValueError(f"the ERP takes no document of kind {command.kind!r}")  # noqa: TRY004 - the document's fault
    party = parties.get(body.party)
    return ErpDocument(
        kind=command.kind,
        external_id=command.id,
        company=company,
        currency=body.currency,
        date=day.isoformat(),
        lines=lines,
        total=to_text(total_of(command), body.currency),
        number_at_customer=body.number,
        channel=directory.theirs("channel", body.channel) or body.channel,
        location=_location(body.location, directory),
        customer=body.party,
        customer_name=(party.company or party.name) if party else "",
        order_external_id=order,
        moves_goods=moves_goods,
        paid_from=getattr(body, "paid_from", ""),
    )


def total_of(command: SubmitDocument) -> int:
    """What the ERP's total has to be, minor units; a journal's is the sum of its debits,
    goods and proposals to buy have none.
    """
    body = command.body
    if isinstance(body, TaxDocument):
        return body.amount
    if isinstance(body, JournalDocument):
        return sum(line.amount for line in body.lines if line.amount > 0)
    found: int = getattr(body, "total", 0)
    return found


def receipt_of(command: SubmitDocument, result: Result) -> Receipt:
    """The receipt for what the ERP did with one document."""
    if result.document is not None and result.status in (200, 201, 409):
        return accepted(command, result.document)
    words = result.error.words if result.error else f"answered with {result.status}"
    outcome = "unknown"
    if result.status in (429, 503):
        outcome = "retry"
    elif 400 <= result.status < 500 and result.status != 408:
        outcome = "refused"
    return Receipt(operation=command.id, outcome=outcome, words=words)


def accepted(command: SubmitDocument, answer: ErpAnswer) -> Receipt:
    """The receipt for a document that stands in the ERP, if it is the one we mean."""
    expected = total_of(command)
    currency: str = getattr(command.body, "currency", "")
    try:
        total = to_minor(answer.total, answer.currency)
        move_total = to_minor(answer.move_total, answer.currency) if answer.move else None
    except MoneyError as problem:
        words = f"{answer.number} stands in the ERP with an unreadable total: {problem}"
        return Receipt(operation=command.id, outcome="refused", words=words)
    if answer.external_id != command.id or answer.kind != command.kind:
        words = f"the ERP answered with {answer.kind} {answer.number} of {answer.external_id!r}"
        return Receipt(operation=command.id, outcome="unknown", words=words)
    if (total, answer.currency) != (expected, currency):
        words = (
            f"{answer.number} stands in the ERP with {answer.total} {answer.currency}, "
            f"ours says {to_text(expected, currency)} {currency}"
        )
        return Receipt(operation=command.id, outcome="refused", words=words)
    return Receipt(
        operation=command.id,
        outcome="accepted",
        remote_id=answer.id,
        number=answer.number,
        move=answer.move,
        move_total=move_total,
    )


def _journal(command: SubmitDocument, company: str, body: JournalDocument) -> ErpDocument:
    lines = tuple(
        AccountLine(
            account=line.account,
            debit=to_text(max(line.amount, 0), body.currency),
            credit=to_text(max(-line.amount, 0), body.currency),
            item=line.item,
        )
        for line in body.lines
    )
    return ErpDocument(
        kind=command.kind,
        external_id=command.id,
        company=company,
        currency=body.currency,
        date=body.journal_date.isoformat(),
        lines=lines,
        total=to_text(total_of(command), body.currency),
        narration=body.narration,
        entries=body.entries,
    )


def _stock_move(
    command: SubmitDocument, company: str, body: StockMoveDocument, directory: Directory
) -> ErpDocument:
    return ErpDocument(
        kind=command.kind,
        external_id=command.id,
        company=company,
        currency=body.currency,
        date=body.goods_date.isoformat(),
        lines=tuple(_goods_line(line, directory) for line in body.lines),
        number_at_customer=body.number,
        location=_location(body.origin, directory),
        destination=_location(body.destination, directory),
        narration=body.reason,
    )


def _location(ours: str, directory: Directory) -> str:
    """The ERP's code of a place; goods on the way stand at one of its own."""
    if ours == IN_TRANSIT:
        return TRANSIT
    return directory.theirs("location", ours) or ours


def _goods_line(line: GoodsLine, directory: Directory) -> WireGoods:
    return WireGoods(
        line=line.line,
        product=_product(line.product, directory),
        quantity=quantity_text(line.quantity),
        description=line.title,
    )


def _purchase(
    command: SubmitDocument, company: str, body: PurchaseProposalDocument, directory: Directory
) -> ErpDocument:
    nothing = to_text(0, body.currency)
    lines = tuple(
        TradeLine(
            line=str(number),
            type="goods",
            product=_product(line.product, directory),
            quantity=quantity_text(line.quantity),
            amount=nothing,
        )
        for number, line in enumerate(body.lines, 1)
    )
    return ErpDocument(
        kind=command.kind,
        external_id=command.id,
        company=company,
        currency=body.currency,
        date=body.proposal_date.isoformat(),
        lines=lines,
        total=nothing,
        number_at_customer=body.number,
        location=_location(body.location, directory),
        narration=f"buy from {body.supplier} by {body.due_date.isoformat()}",
    )


def _order_line(line: OrderLine, currency: str, directory: Directory) -> TradeLine:
    return TradeLine(
        line=line.line,
        type=line.kind,
        product=_product(line.product, directory),
        quantity=quantity_text(line.quantity),
        amount=to_text(line.net, currency),
        taxes=tuple(TaxAmount(tax.code, to_text(tax.amount, currency)) for tax in line.taxes),
        description=line.title,
    )


def _invoice_line(line: DocumentLine, currency: str, directory: Directory) -> TradeLine:
    return TradeLine(
        line=line.line,
        type=line.kind,
        product=_product(line.product, directory),
        quantity=quantity_text(line.quantity),
        amount=to_text(line.net, currency),
        taxes=tuple(TaxAmount(code, to_text(amount, currency)) for code, amount in line.taxes),
        description=line.title,
    )


def _product(ours: str, directory: Directory) -> str:
    return (directory.theirs("product", ours) or ours) if ours else ""
