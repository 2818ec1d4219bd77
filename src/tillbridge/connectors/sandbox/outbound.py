"""Our documents in the sandbox ERP's words, and its answers as receipts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tillbridge.atoms.money import MoneyError, to_minor, to_text
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.documents import (
    DocumentLine,
    JournalDocument,
    SalesOrderDocument,
    SubmitDocument,
)
from tillbridge.canonical.orders import OrderLine
from tillbridge.connectors.sandbox.wire import (
    AccountLine,
    ErpAnswer,
    ErpDocument,
    Result,
    TaxAmount,
    TradeLine,
)
from tillbridge.contract.promises import Directory, Receipt


def document_of(
    command: SubmitDocument,
    company: str,
    directory: Directory,
    parties: Mapping[str, PartyDetails],
) -> ErpDocument:
    """The ERP's document for a command; raises ValueError when the command carries no body."""
    body = command.body
    if isinstance(body, JournalDocument):
        return _journal(command, company, body)
    if isinstance(body, SalesOrderDocument):
        lines = tuple(_order_line(line, body.currency, directory) for line in body.lines)
        day, order = body.order_date, ""
    else:
        lines = tuple(_invoice_line(line, body.currency, directory) for line in body.lines)
        day, order = body.invoice_date, body.order
    party = parties.get(body.party)
    return ErpDocument(
        kind=command.kind,
        external_id=command.id,
        company=company,
        currency=body.currency,
        date=day.isoformat(),
        lines=lines,
        total=to_text(body.total, body.currency),
        number_at_customer=body.number,
        channel=directory.theirs("channel", body.channel) or body.channel,
        location=directory.theirs("location", body.location) or body.location,
        customer=body.party,
        customer_name=(party.company or party.name) if party else "",
        order_external_id=order,
    )


def total_of(command: SubmitDocument) -> int:
    """What the ERP's total has to be, minor units; a journal's is the sum of its debits."""
    body = command.body
    if isinstance(body, JournalDocument):
        return sum(line.amount for line in body.lines if line.amount > 0)
    return body.total


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
    currency = command.body.currency
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
