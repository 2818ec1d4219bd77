"""The example retailer's till days as POSLog 6.0 files, one per store.

Element names and their order follow the public descriptions of ARTS POSLog 6.0; times are local to
the store and carry no zone, as most tills write them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from tillbridge.atoms.money import to_text
from tillbridge.connectors.sandbox.till_day import (
    FLOAT,
    Receipt,
    TillDay,
    TillLine,
    TillTax,
    TillTender,
)

NAMESPACE = "http://www.nrf-arts.org/IXRetail/namespace/"
TILL = "1"
OPERATOR = "17"


def poslog_file(day: TillDay) -> bytes:
    """The file of one store's day, UTF-8."""
    pieces = [
        (day.sign_on, _control(day, day.sign_on, "OperatorSignOn", day.opened)),
        (day.loan, _loan(day)),
        (day.post_void, _post_void(day)),
        (day.settle, _settle(day)),
        (day.sign_off, _control(day, day.sign_off, "OperatorSignOff", day.closed)),
    ]
    pieces += [(receipt.sequence, _receipt(day, receipt)) for receipt in day.receipts]
    body = "\n".join(text for _, text in sorted(pieces))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<POSLog xmlns="{NAMESPACE}" MajorVersion="6" MinorVersion="0" FixVersion="0">\n'
        f"{body}\n</POSLog>\n"
    ).encode()


def _transaction(day: TillDay, sequence: int, at: datetime, inner: str, flags: str = "") -> str:
    moment = _local(at)
    return (
        f"<Transaction{flags}>"
        f"<BusinessUnit><UnitID>{day.location.store_id}</UnitID></BusinessUnit>"
        f"<WorkstationID>{TILL}</WorkstationID><TillID>{TILL}</TillID>"
        f"<SequenceNumber>{sequence}</SequenceNumber>"
        f"<BusinessDayDate>{day.day.isoformat()}</BusinessDayDate>"
        f"<BeginDateTime>{moment}</BeginDateTime><EndDateTime>{moment}</EndDateTime>"
        f"<OperatorID>{OPERATOR}</OperatorID>"
        f"<CurrencyCode>{day.location.currency}</CurrencyCode>"
        f"{inner}</Transaction>"
    )


def _control(day: TillDay, sequence: int, element: str, at: datetime) -> str:
    moment = f"<StartDateTimestamp>{_local(at)}</StartDateTimestamp>"
    inner = f"<ControlTransaction><{element}>{moment}</{element}></ControlTransaction>"
    return _transaction(day, sequence, at, inner)


def _loan(day: TillDay) -> str:
    amount = _money("Amount", FLOAT, day)
    inner = (
        "<TenderControlTransaction><TenderLoan>"
        f'<Tender TenderType="Cash">{amount}</Tender>'
        "</TenderLoan></TenderControlTransaction>"
    )
    return _transaction(day, day.loan, day.opened, inner)


def _settle(day: TillDay) -> str:
    """Counted against expected, by tender; the cash holds the float."""
    cash = FLOAT + day.taken("Cash")
    counts = [("Cash", cash, cash - day.short)]
    counts += [(kind, day.taken(kind), day.taken(kind)) for kind in ("CreditDebit", "GiftCard")]
    rows = "".join(
        f'<TenderSummary TenderType="{kind}">'
        f"{_money('ExpectedAmount', expected, day)}{_money('CountedAmount', counted, day)}"
        "</TenderSummary>"
        for kind, expected, counted in counts
    )
    inner = f"<TenderControlTransaction><TillSettle>{rows}</TillSettle></TenderControlTransaction>"
    return _transaction(day, day.settle, day.closed, inner)


def _post_void(day: TillDay) -> str:
    """A transaction that takes a finished sale back whole."""
    sold = next(receipt for receipt in day.receipts if receipt.sequence == day.voided)
    link = _link(day, sold.sequence, "Voided")
    inner = (
        '<RetailTransaction TransactionStatus="PostVoided">'
        f"{link}{_totals(day, sold, -1)}</RetailTransaction>"
    )
    return _transaction(day, day.post_void, sold.at + timedelta(seconds=50), inner)


def _receipt(day: TillDay, receipt: Receipt) -> str:
    parts = [_line(day, receipt, line) for line in receipt.lines]
    parts += [_tax(day, receipt, tax) for tax in receipt.taxes]
    parts += [_tender(day, receipt, tender) for tender in receipt.tenders]
    items = []
    for number, (flags, part) in enumerate(parts, 1):
        sequence = f"<SequenceNumber>{number}</SequenceNumber>"
        items.append(f"<LineItem{flags}>{sequence}{part}</LineItem>")
    sign = -1 if receipt.direction == "return" else 1
    printed = f"<ReceiptNumber>{receipt.sequence:06d}</ReceiptNumber>"
    inner = (
        f"<RetailTransaction>{printed}{''.join(items)}"
        f"{_totals(day, receipt, sign)}</RetailTransaction>"
    )
    flags = ' TrainingModeFlag="true"' if receipt.training else ""
    return _transaction(day, receipt.sequence, receipt.at, inner, flags)


def _line(day: TillDay, receipt: Receipt, line: TillLine) -> tuple[str, str]:
    product = line.product
    list_amount = line.quantity * line.price
    element = "Return" if receipt.direction == "return" else "Sale"
    modifier = ""
    if line.discount:
        modifier = (
            f"{_money('ExtendedDiscountAmount', line.discount, day)}"
            "<RetailPriceModifier><SequenceNumber>1</SequenceNumber>"
            f'<Amount Action="Subtract">{_text(line.discount, day)}</Amount>'
            "<PromotionID>STAFF10</PromotionID></RetailPriceModifier>"
        )
    link = _link(day, receipt.origin, "Return") if receipt.origin else ""
    inner = (
        f'<{element} ItemType="Stock">'
        f"<ItemID>{product.gtin}</ItemID>"
        f'<MerchandiseHierarchy Level="Department">{product.department}</MerchandiseHierarchy>'
        f"<Description>{escape(product.name)}</Description>"
        f"{_money('RegularSalesUnitPrice', line.price, day)}"
        f"{_money('ExtendedAmount', list_amount - line.discount, day)}"
        f'<Quantity UnitOfMeasureCode="EA">{line.quantity}</Quantity>'
        f"{modifier}{link}</{element}>"
    )
    flags = ' EntryMethod="Scanned"' + (' VoidFlag="true"' if line.voided else "")
    return flags, inner


def _tax(day: TillDay, receipt: Receipt, tax: TillTax) -> tuple[str, str]:
    kind = ' TypeCode="Refund"' if receipt.direction == "return" else ' TypeCode="Sale"'
    percent = f"{tax.levy.rate_ppm // 10000}.{tax.levy.rate_ppm % 10000:04d}"
    inner = (
        f'<Tax TaxType="Sales"{kind}>'
        f"<TaxAuthority>{tax.levy.till_id}</TaxAuthority>"
        f"{_money('TaxableAmount', tax.base, day)}{_money('Amount', tax.amount, day)}"
        f"<Percent>{percent}</Percent><TaxRuleID>{tax.levy.till_id}</TaxRuleID></Tax>"
    )
    return "", inner


def _tender(day: TillDay, receipt: Receipt, tender: TillTender) -> tuple[str, str]:
    kind = "Refund" if receipt.direction == "return" else "Sale"
    inner = _money("Amount", tender.amount, day)
    if tender.change:
        inner += f"<TenderChange>{_money('Amount', tender.change, day)}</TenderChange>"
    if tender.rounding:
        inner += _money("Rounding", tender.rounding, day)
    if tender.card:
        inner += f"<GiftCard><CardNumber>{tender.card}</CardNumber></GiftCard>"
    name = quoteattr(tender.kind)
    return "", f'<Tender TenderType={name} TypeCode="{kind}">{inner}</Tender>'


def _totals(day: TillDay, receipt: Receipt, sign: int) -> str:
    totals = (
        ("TransactionNetAmount", receipt.net),
        ("TransactionTaxAmount", receipt.tax),
        ("TransactionGrandAmount", receipt.total),
    )
    return "".join(
        f'<Total TotalType="{kind}">{_text(sign * amount, day)}</Total>' for kind, amount in totals
    )


def _link(day: TillDay, sequence: int, reason: str) -> str:
    return (
        f'<TransactionLink ReasonCode="{reason}">'
        f"<BusinessUnit><UnitID>{day.location.store_id}</UnitID></BusinessUnit>"
        f"<WorkstationID>{TILL}</WorkstationID>"
        f"<BusinessDayDate>{day.day.isoformat()}</BusinessDayDate>"
        f"<SequenceNumber>{sequence}</SequenceNumber></TransactionLink>"
    )


def _money(element: str, minor: int, day: TillDay) -> str:
    return f"<{element}>{_text(minor, day)}</{element}>"


def _text(minor: int, day: TillDay) -> str:
    return to_text(minor, day.location.currency)


def _local(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="seconds")
