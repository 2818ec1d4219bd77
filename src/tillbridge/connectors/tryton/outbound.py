"""From documents to Tryton's records. Pure: the ids over there are handed in, rows come out.

Amounts are the hub's to the cent: no record carries a tax Tryton would compute. What is no revenue
(tax, a sold gift card) goes on an invoice as a manual amount row; a price that four decimals cannot
carry is made whole by a rounding line. Both are checked against Tryton's total before posting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tillbridge.atoms import money
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.documents import (
    CreditNoteDocument,
    DocumentLine,
    GoodsLine,
    InvoiceDocument,
    JournalDocument,
    SalesOrderCancelDocument,
    SalesOrderDocument,
)
from tillbridge.canonical.orders import OrderLine
from tillbridge.connectors.tryton.farside import Account, Setting
from tillbridge.connectors.tryton.goods_rows import delivery_row
from tillbridge.connectors.tryton.pricing import Priced, amount, priced
from tillbridge.connectors.tryton.wire import Exact

Row = dict[str, Any]
REST = "/rounding"
Charge = InvoiceDocument | CreditNoteDocument


def check_sums(document: Charge) -> None:
    """Raises Refused with both figures when lines and total of the hub's own document differ."""
    lines = sum(line.net + sum(tax for _, tax in line.taxes) for line in document.lines)
    if lines != document.total:
        raise Refused(difference("its lines", lines, document.total, document.currency))


def difference(who: str, theirs: int, ours: int, code: str) -> str:
    """One sentence with both figures."""
    return (
        f"{who} make {money.to_text(theirs, code)} {code}, "
        f"the document's total is {money.to_text(ours, code)} {code}"
    )


def sale_row(operation: str, document: SalesOrderDocument, setting: Setting) -> Row:
    """A sale whose goods and invoices the hub reports itself (both methods `manual`).

    The operation is the web id, which Tryton keeps unique per shop.
    """
    buyer, warehouse = setting.sure_buyer(), setting.sure_warehouse()
    lines = [row for line in document.lines for row in _sale_lines(line, setting)]
    return {
        "company": setting.company,
        "currency": setting.currency,
        "web_shop": setting.shop,
        "web_id": operation,
        "reference": document.number,
        "sale_date": document.order_date,
        "party": buyer.id,
        "invoice_party": buyer.id,
        "invoice_address": buyer.address,
        "shipment_party": buyer.id,
        "shipment_address": buyer.address,
        "warehouse": warehouse.id,
        "invoice_method": "manual",
        "shipment_method": "manual",
        "lines": [["create", lines]],
    }


def change_row(
    operation: str,
    document: SalesOrderDocument | SalesOrderCancelDocument,
    lines: Sequence[OrderLine],
    setting: Setting,
    changed: int,
) -> Row:
    """A further sale of what an order has more or less than Tryton holds: signed quantities.

    changed: id of the sale it changes, its origin.
    """
    day = document.order_date if isinstance(document, SalesOrderDocument) else document.cancel_date
    whole = SalesOrderDocument(
        number=document.number,
        channel=document.channel,
        currency=document.currency,
        order_date=day,
        total=0,
        lines=tuple(lines),
        party=document.party,
        location=document.location,
    )
    return sale_row(operation, whole, setting) | {"origin": f"sale.sale,{changed}"}


def _sale_lines(line: OrderLine, setting: Setting) -> list[Row]:
    """The line under its own id (in `note`), and a rounding line, which says whose it is, when the
    price leaves a rest.
    """
    product = setting.product(line.product)
    made = priced(line.quantity, line.net, setting.code, product.digits if product else 3)
    row = _priced_row(made, line.title or line.product or line.kind)
    if product and made.whole:
        row |= {"product": product.id, "unit": product.unit}
    row["note"] = line.line
    rests = _rest_rows(made, row["description"], setting.code)
    return [row, *(rest | {"note": f"{line.line}{REST}"} for rest in rests)]


def invoice_row(
    operation: str,
    document: Charge,
    setting: Setting,
    line_account: Mapping[str, str],
    tax_account: str,
) -> Row:
    """An invoice, or a credit note as an invoice of negative quantities.

    line_account: our account name per line kind; tax_account: its template.
    """
    check_sums(document)
    if document.paid_from:
        setting.account(document.paid_from)  # missing: refused before anything is booked
    sign = -1 if isinstance(document, CreditNoteDocument) else 1
    buyer = setting.sure_buyer()
    lines: list[Row] = []
    amounts: list[Row] = []
    for line in document.lines:
        account = setting.account(line_account[line.kind])
        if account.revenue:
            lines += _invoice_lines(line, account, sign, setting)
        else:
            title = line.title or line.kind
            amounts.append(_amount_row(title, account, 0, sign * line.net, setting.code))
    amounts += _tax_rows(document.lines, tax_account, sign, setting)
    return {
        "company": setting.company,
        "type": "out",
        "reference": operation,
        "description": document.number,
        "party": buyer.id,
        "invoice_address": buyer.address,
        "currency": setting.currency,
        "journal": setting.journal,
        "account": setting.receivable,
        "invoice_date": document.invoice_date,
        "accounting_date": document.invoice_date,
        "lines": [["create", lines]],
        "taxes": [["create", amounts]],
    }


def _invoice_lines(line: DocumentLine, account: Account, sign: int, setting: Setting) -> list[Row]:
    product = setting.product(line.product)
    digits = product.digits if product else 3
    made = priced(sign * line.quantity, sign * line.net, setting.code, digits)
    place = {
        "company": setting.company,
        "currency": setting.currency,
        "account": account.id,
    }
    row = _priced_row(made, line.title or line.product or line.kind) | place
    if product and made.whole:
        row |= {"product": product.id, "unit": product.unit}
    origin = setting.sale_lines.get(line.line)
    if origin and made.whole:
        row["origin"] = f"sale.line,{origin}"
    rests = _rest_rows(made, row["description"], setting.code)
    return [row, *(rest | place for rest in rests)]


def _tax_rows(
    lines: Sequence[DocumentLine], template: str, sign: int, setting: Setting
) -> list[Row]:
    """One manual amount row per jurisdiction, exactly as the channel taxed."""
    sums: dict[str, list[int]] = {}
    for line in lines:
        for jurisdiction, tax in line.taxes:
            sums.setdefault(jurisdiction, [0, 0])
            sums[jurisdiction][0] += line.net
            sums[jurisdiction][1] += tax
    return [
        _amount_row(
            jurisdiction,
            setting.account(template.format(jurisdiction=jurisdiction)),
            sign * taxed,
            sign * tax,
            setting.code,
        )
        for jurisdiction, (taxed, tax) in sums.items()
        if tax
    ]


def shipment_row(operation: str, document: InvoiceDocument, setting: Setting) -> Row | None:
    """The goods of an invoice leaving their warehouse; None when it has none."""
    goods = [
        GoodsLine(line=line.line, product=line.product, quantity=line.quantity, net=line.net)
        for line in document.lines
        if line.kind == "goods" and line.product and line.quantity > 0
    ]
    if not goods:
        return None
    return delivery_row(goods_key(operation), document.invoice_date, goods, setting)


def goods_key(operation: str) -> str:
    """Reference of the shipment that belongs to an invoice."""
    return f"{operation}/goods"


def move_row(operation: str, document: JournalDocument, setting: Setting) -> Row:
    """A ledger move under the operation as its description; debit is positive in the hub."""
    total = sum(line.amount for line in document.lines)
    if total:
        words = f"the journal does not balance: {money.to_text(total, document.currency)} too much"
        raise Refused(words)
    lines = [
        {
            "account": setting.account(line.account).id,
            "debit": amount(max(line.amount, 0), setting.code),
            "credit": amount(max(-line.amount, 0), setting.code),
            "description": line.item or document.narration,
        }
        for line in document.lines
        if line.amount
    ]
    if not lines:
        raise Refused("the journal has no line with an amount")
    return {
        "company": setting.company,
        "journal": setting.journal,
        "period": setting.period,
        "date": document.journal_date,
        "description": operation,
        "lines": [["create", lines]],
    }


def party_row(code: str, details: PartyDetails | None, country: int | None) -> Row:
    """A party under its code with one address; without details only the code is told."""
    known = details or PartyDetails(party=code)
    street = "\n".join(part for part in (known.street, known.street2) if part)
    address: Row = {
        "street_unstructured": street,
        "city": known.city,
        "postal_code": known.postcode,
    }
    if country:
        address["country"] = country
    contacts = [
        {"type": kind, "value": value}
        for kind, value in (("email", known.email), ("phone", known.phone))
        if value
    ]
    return {
        "code": code,
        "name": known.company or known.name or code,
        "addresses": [["create", [address]]],
        "contact_mechanisms": [["create", contacts]],
    }


def _priced_row(made: Priced, title: str) -> Row:
    return {
        "type": "line",
        "quantity": made.quantity,
        "unit_price": made.price,
        "description": made.text + title,
    }


def _rest_rows(made: Priced, title: str, code: str) -> list[Row]:
    """A line for the minor units that four decimals of a unit price could not carry."""
    if not made.rest:
        return []
    rest = Priced(Exact("1"), amount(made.rest, code))
    return [_priced_row(rest, f"Rounding of {title}")]


def _amount_row(title: str, account: Account, taxed: int, minor: int, code: str) -> Row:
    return {
        "description": title,
        "account": account.id,
        "base": amount(taxed, code),
        "amount": amount(minor, code),
        "manual": True,
    }
