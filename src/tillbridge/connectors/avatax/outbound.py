"""Our tax documents in AvaTax's words, and its answers in ours. Pure.

A return is a ReturnInvoice of negative amounts at the rates of its sale's day (tax override
`TaxDate`); tax that was charged is told as it is (`TaxAmount`), never worked out again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal

from tillbridge.atoms.errors import NeedsDecision, Refused
from tillbridge.atoms.money import MoneyError, to_minor, to_text
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.orders import TaxLine
from tillbridge.canonical.taxes import LineTaxes, TaxDocument, TaxItem
from tillbridge.connectors.avatax.config import AvataxSettings, Origin
from tillbridge.connectors.avatax.wire import (
    CODE_MOST,
    Address,
    Line,
    Model,
    TaxedLine,
    TaxOverride,
    Transaction,
)
from tillbridge.contract.taxes import TaxDirectory

_KEPT = {"sale": "SalesInvoice", "return": "ReturnInvoice"}
_ESTIMATE = {"sale": "SalesOrder", "return": "ReturnOrder"}
PPM = 1_000_000


def code_of(document: TaxDocument) -> str:
    """The document's code over there: ours, or a digest of it where it is too long."""
    if len(document.code) <= CODE_MOST:
        return document.code
    return f"tb-{hashlib.sha256(document.code.encode()).hexdigest()[:40]}"


def kind_of(document: TaxDocument) -> str:
    """The type under which it is kept."""
    return _KEPT[document.direction]


def model_of(
    document: TaxDocument,
    settings: AvataxSettings,
    directory: TaxDirectory,
    parties: Mapping[str, PartyDetails],
    *,
    charged: bool,
    commit: bool,
) -> Model:
    """The transaction for a document. charged: with the taxes it names, as they were charged."""
    kept = document.recorded or charged
    day = document.tax_date.isoformat()
    override = None
    if document.direction == "return" or document.tax_date != document.document_date:
        override = TaxOverride(type="TaxDate", reason="rates of the sale", tax_date=day)
    return Model(
        type=(_KEPT if kept else _ESTIMATE)[document.direction],
        company_code=settings.company,
        code=code_of(document),
        date=document.document_date.isoformat(),
        customer_code=document.party or document.channel,
        currency_code=document.currency,
        addresses={
            "shipFrom": _origin(settings.origins.get(document.location, settings.origin)),
            "shipTo": _destination(document, settings, parties),
        },
        lines=tuple(
            _line(number, item, document, settings, directory, charged=charged)
            for number, item in enumerate(document.items, 1)
        ),
        purchase_order_no=document.number[:CODE_MOST],
        commit=commit,
        tax_override=override,
    )


def signed(document: TaxDocument, minor: int) -> Decimal:
    """An amount of the document as AvaTax counts it: what is given back is negative."""
    return Decimal(to_text(-minor if document.direction == "return" else minor, document.currency))


def _line(
    number: int,
    item: TaxItem,
    document: TaxDocument,
    settings: AvataxSettings,
    directory: TaxDirectory,
    *,
    charged: bool,
) -> Line:
    override = None
    if charged:
        tax = sum(tax.amount for tax in item.taxes if tax.collector == "seller")
        override = TaxOverride(
            type="TaxAmount", reason="as it was charged", tax_amount=signed(document, tax)
        )
    code = settings.tax_codes.get(item.category if item.kind == "goods" else item.kind, "")
    return Line(
        number=str(number),
        quantity=Decimal(quantity_text(abs(item.quantity))) if item.quantity else Decimal(1),
        amount=signed(document, item.amount),
        item_code=(directory.theirs("product", item.product) or item.product)[:CODE_MOST],
        tax_code=code or settings.tax_code,
        tax_included=item.inclusive,
        tax_override=override,
    )


def _origin(origin: Origin) -> Address:
    return Address(origin.country, origin.region, origin.postal_code, origin.city, origin.line1)


def _destination(
    document: TaxDocument, settings: AvataxSettings, parties: Mapping[str, PartyDetails]
) -> Address:
    """The buyer's address where there is one, else the place; collected goods stay."""
    place, party = document.ship_to, parties.get(document.party)
    if party is not None and party.country == place.country and party.postcode and place.country:
        return Address(party.country, party.region, party.postcode, party.city, party.street)
    if not place.country:
        return _origin(settings.origins.get(document.location, settings.origin))
    return Address(place.country, place.region, place.postcode_area)


def taxes_of(
    transaction: Transaction, document: TaxDocument, directory: TaxDirectory, connection: str
) -> tuple[LineTaxes, ...]:
    """The taxes of every item in the document's direction, with our names.

    Raises NeedsDecision for a tax that has no name of ours (it decides the account), Refused when
    lines are missing or amounts are no amounts of the currency.
    """
    lines = {line.line_number: line for line in transaction.lines or ()}
    found = []
    for number, item in enumerate(document.items, 1):
        line = lines.get(str(number))
        if line is None:
            raise Refused(f"AvaTax did not answer for line {item.line}", code="lines")
        found.append(LineTaxes(item.line, _taxes(line, item, document, directory, connection)))
    return tuple(found)


def _taxes(
    line: TaxedLine,
    item: TaxItem,
    document: TaxDocument,
    directory: TaxDirectory,
    connection: str,
) -> tuple[TaxLine, ...]:
    sign = -1 if document.direction == "return" else 1
    taxes = []
    for detail in line.details or ():
        code = directory.ours("tax", detail.tax_name)
        if code is None:
            raise NeedsDecision(
                "mapping_missing",
                f"line {item.line}: tax {detail.tax_name!r} ({detail.juris_name}) has no name of "
                "ours",
                owner="finance",
                remedy=f"tillbridge xref set {connection} tax '{detail.tax_name}' OUR-NAME",
            )
        try:
            amount = sign * to_minor(detail.tax, document.currency)
            base = sign * to_minor(detail.taxable_amount, document.currency)
        except MoneyError as problem:
            raise Refused(f"line {item.line}: {problem}", code="amount") from None
        rate = int(detail.rate * PPM)
        taxes.append(TaxLine(code, code, amount, base, rate))
    return tuple(taxes)
