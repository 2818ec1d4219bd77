"""SaleRung from a proven receipt: our names, kinds and units for the till's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from tillbridge.atoms.ids import key_of, party_id
from tillbridge.atoms.quantity import EACH, SCALE
from tillbridge.canonical.cards import hashed
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.orders import LINE_KINDS, Place, TaxLine
from tillbridge.canonical.payments import TENDER_KINDS
from tillbridge.canonical.sales import NOWHERE, SaleLine, SaleRung, SaleTender, order_of, parted
from tillbridge.connectors.poslog import wire
from tillbridge.connectors.poslog.paying import CASH, Paid
from tillbridge.connectors.poslog.receipt import Receipt, prove
from tillbridge.connectors.poslog.setting import Setting
from tillbridge.connectors.poslog.sharing import Shared
from tillbridge.contract.wire import WireError

_ELEMENT_KINDS = {
    "MiscellaneousFee": "fee",
    "Fee": "fee",
    "Surcharge": "fee",
    "Tip": "tip",
    "Gratuity": "tip",
    "ShippingCharge": "shipping",
    "StoredValueFundSale": "gift_card",
    "StoredValueSale": "gift_card",
    "GiftCardSale": "gift_card",
    "GiftCertificateSale": "gift_card",
}
# by the vendor's ItemType; what matches nothing is goods
_ITEM_KINDS = (
    ("gift_card", re.compile(r"gift|stored ?value", re.IGNORECASE)),
    ("service", re.compile(r"^service", re.IGNORECASE)),
    ("shipping", re.compile(r"shipping|freight|delivery", re.IGNORECASE)),
    ("tip", re.compile(r"^(tip|gratuity)$", re.IGNORECASE)),
    ("fee", re.compile(r"fee$|deposit|surcharge", re.IGNORECASE)),
)
_IGNORE = re.IGNORECASE
_TENDER_KINDS = (
    ("gift_card", re.compile(r"gift|stored ?value", _IGNORE)),
    (
        "store_credit",
        re.compile(r"store ?credit|voucher|credit ?(memo|note)|merchandise ?credit", _IGNORE),
    ),
    ("coupon", re.compile(r"coupon", _IGNORE)),
    ("wallet", re.compile(r"paypal|wallet|alipay|wechat|apple ?pay|google ?pay|mobile", _IGNORE)),
    ("account", re.compile(r"account|receivable|purchase ?order|charge$", _IGNORE)),
    ("cash", re.compile(r"cash$|^cash|currency", _IGNORE)),
    ("card", re.compile(r"credit|debit|card|ebt|food ?stamp|snap|wic\b|visa|master", _IGNORE)),
)
# UN/ECE Recommendation 20 for what scales write
_UNITS = {"KG": "KGM", "LB": "LBR", "LBS": "LBR", "G": "GRM", "L": "LTR", "M": "MTR", "OZ": "ONZ"}
_UNIT = re.compile(r"[A-Z0-9]{2,3}")
_NO_RETURN = re.compile(r"resum|suspend|retriev|void|recall", re.IGNORECASE)


def rung(setting: Setting, retail: wire.Retail) -> tuple[SaleRung, list[PartyDetails]]:
    """The sale a receipt tells, and the buyer's personal data for the vault."""
    setting = _in_currency(setting, retail)
    settings = setting.settings
    step = settings.step_of(setting.currency)
    receipt = prove(retail, setting.currency, settings.rounding_tolerance, step)
    parties = _parties(setting, retail)
    lines, taxes = parted(
        _lines(setting, retail, receipt),
        [_tax(setting, tax, amount, "the receipt") for tax, amount in receipt.taxes],
    )
    sale = SaleRung(
        **setting.fact(),
        channel=setting.connection.channel,
        currency=setting.currency,
        total=receipt.total,
        lines=lines,
        tenders=_tenders(setting, receipt.movements),
        taxes=taxes,
        party=parties[0].party if parties else "",
        receipt=setting.header.receipt,
        links=_links(setting, retail),
        offline=setting.header.offline,
        ship_to=_ship_to(receipt),
    )
    return sale, parties


def _in_currency(setting: Setting, retail: wire.Retail) -> Setting:
    """The receipt's own currency: of its header, else of its totals or lines when all agree."""
    if setting.header.currency:
        return setting
    told = {total.currency for total in retail.totals if total.currency}
    for line in retail.lines:
        if isinstance(line.part, wire.Merchandise) and line.part.currency:
            told.add(line.part.currency)
    if len(told) > 1:
        raise WireError(f"the receipt tells amounts in {' and '.join(sorted(told))}")
    if not told:
        return setting
    return setting.in_currency(told.pop())


def _lines(setting: Setting, retail: wire.Retail, receipt: Receipt) -> tuple[SaleLine, ...]:
    activated = {
        line.part.item: line.part.card
        for line in retail.lines
        if isinstance(line.part, wire.CardActivation)
    }
    numbers: set[str] = set()
    found = []
    for position, line in enumerate(receipt.lines, 1):
        number = line.line.number or f"p{position}"
        while number in numbers:
            number += "+"
        numbers.add(number)
        found.append(_line(setting, line, number, activated))
    if receipt.rounding:
        found.append(
            SaleLine(
                line="rounding",
                kind="rounding",
                direction="sale",
                product="",
                quantity=SCALE,
                list=receipt.rounding,
                title="the log's own totals differ by this rounding",
            )
        )
    return tuple(found)


def _line(setting: Setting, line: Shared, number: str, activated: dict[str, str]) -> SaleLine:
    part = line.part
    where = f"line {number}"
    kind = _kind(setting, part)
    if part.item in activated and kind == "goods":
        kind = "gift_card"
    back = line.list < 0 or line.quantity < 0
    given_up = _given_up(setting, part) if back and part.fulfil else ("", "")
    links = _keys(setting, part.links) if back and not part.fulfil else ()
    return SaleLine(
        line=number,
        kind=kind,
        direction="return" if back else "sale",
        product=_product(setting, part, where) if kind in ("goods", "service") else "",
        quantity=_quantity(line.quantity),
        list=line.list,
        discount=line.discount,
        taxes=tuple(_tax(setting, tax, amount, where) for tax, amount in line.taxes),
        unit=_unit(setting, line),
        department=_department(setting, part, where),
        promotion=line.promotion,
        card=hashed(part.card or activated.get(part.item, "")) if kind == "gift_card" else "",
        title=part.description,
        fulfil=part.fulfil,
        place=setting.names.ours("location", part.place, where=where) if part.place else "",
        order=given_up[0],
        order_line=given_up[1],
        link=links[0] if len(links) == 1 else "",
    )


def _given_up(setting: Setting, part: wire.Merchandise) -> tuple[str, str]:
    """Order and line of goods that come back without having been handed over; empty when the log
    does not say.
    """
    links = [link for link in part.links if link.sequence]
    if len(links) != 1:
        return "", ""
    link, header = links[0], setting.header
    sale = key_of(
        "sale",
        setting.connection.name,
        link.store or header.store,
        link.till or header.till,
        (link.day or header.day).isoformat(),
        link.sequence,
    )
    return order_of(sale, setting.connection.channel or setting.connection.name), link.line


def _ship_to(receipt: Receipt) -> Place:
    """Where ordered goods go, as far as tax and sourcing need it."""
    told = next((line.part.goes_to for line in receipt.lines if any(line.part.goes_to)), None)
    return NOWHERE if told is None else Place(*told)


def _kind(setting: Setting, part: wire.Merchandise) -> str:
    kind = setting.settings.item_kinds.get(part.item_type) or _ELEMENT_KINDS.get(part.element)
    if kind is None:
        kind = _item_kind(part.item_type)
    if kind not in LINE_KINDS:
        raise WireError(f"the settings call item type {part.item_type!r} {kind!r}, no kind of line")
    return kind


@lru_cache(maxsize=1024)
def _item_kind(item_type: str) -> str:
    return next((kind for kind, pattern in _ITEM_KINDS if pattern.search(item_type)), "goods")


@lru_cache(maxsize=1024)
def _usual_tender_kind(tender_type: str) -> str:
    return next((kind for kind, pattern in _TENDER_KINDS if pattern.search(tender_type)), "other")


def _product(setting: Setting, part: wire.Merchandise, where: str) -> str:
    theirs = part.item or f"description:{part.description}"
    return setting.names.ours("product", theirs, where=where, hint=part.description)


def _department(setting: Setting, part: wire.Merchandise, where: str) -> str:
    """Our department of the line; not asked where the log names none."""
    if not setting.settings.map_departments:
        return ""
    wanted = setting.settings.department_level.lower()
    named = [text for level, text in part.departments if text and wanted in level.lower()]
    named = named or [text for _, text in part.departments if text]
    if not named:
        return ""
    return setting.names.ours("department", named[0], where=where, hint=part.description)


def _quantity(value: Decimal) -> int:
    """Thousandths; scales that tell more digits are rounded, since money does not hang on it."""
    return int((value * SCALE).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _unit(setting: Setting, line: Shared) -> str:
    unit = line.part.unit.upper()
    unit = _UNITS.get(unit, unit)
    if _UNIT.fullmatch(unit):
        return unit
    return setting.settings.default_weight_unit if line.line.weighed else EACH


def _tax(setting: Setting, tax: wire.Tax, amount: int, where: str) -> TaxLine:
    code = setting.names.ours("tax", tax.name, where=where, hint=tax.authority)
    return TaxLine(
        code=code,
        jurisdiction=code,
        amount=amount,
        base=_base(setting, tax, amount),
        rate_ppm=_rate(tax),
    )


def _base(setting: Setting, tax: wire.Tax, amount: int) -> int:
    if tax.taxable is None:
        return 0
    base = abs(setting.coins().minor(tax.taxable))
    negative = amount < 0 or (amount == 0 and tax.taxable < 0)
    return -base if negative else base


def _rate(tax: wire.Tax) -> int | None:
    """Parts per million; None when the log only tells a figure for validation."""
    if tax.percent is None or tax.rough:
        return None
    scaled = tax.percent * 10_000
    return int(scaled) if scaled == int(scaled) else None


def _tenders(setting: Setting, movements: Iterable[Paid]) -> tuple[SaleTender, ...]:
    """Tenders net of change: cash of one kind is one amount, every other line its own."""
    names: dict[str, tuple[str, wire.Tender | None]] = {}
    found: list[tuple[str, Paid]] = []
    cash: dict[str, int] = {}
    for paid in movements:
        theirs = _tender_name(setting, paid, names)
        if CASH.search(paid.tender_type):
            if theirs not in cash:
                found.append((theirs, paid))
            cash[theirs] = cash.get(theirs, 0) + paid.amount
        else:
            found.append((theirs, paid))
    told = []
    for theirs, paid in found:
        amount = cash.get(theirs, 0) if CASH.search(paid.tender_type) else paid.amount
        if amount:
            told.append(_tender(setting, theirs, paid, amount))
    return tuple(told)


def _tender_name(
    setting: Setting, paid: Paid, names: dict[str, tuple[str, wire.Tender | None]]
) -> str:
    """Their name; change without one goes under the name its kind of money already has."""
    part = paid.tender
    if part is None:
        return names.get(paid.tender_type, (paid.tender_type, None))[0]
    theirs = setting.tender_name(part.tender_type, part.tender_id, part.card_type)
    names.setdefault(paid.tender_type, (theirs, part))
    return theirs


def _tender(setting: Setting, theirs: str, paid: Paid, amount: int) -> SaleTender:
    kind = _tender_kind(setting, theirs, paid.tender_type)
    others = setting.settings.other_issuers
    own = not (theirs in others or paid.tender_type in others)
    card = paid.tender.card if paid.tender is not None else ""
    return SaleTender(
        tender=setting.names.ours(
            "tender", theirs, where=f"line {paid.number}", hint=paid.tender_type
        ),
        kind=kind,
        amount=amount,
        issuer="own" if own else "other",
        card=hashed(card) if kind in ("gift_card", "store_credit") else "",
    )


def _tender_kind(setting: Setting, theirs: str, tender_type: str) -> str:
    told = setting.settings.tender_kinds
    kind = told.get(theirs) or told.get(tender_type)
    if kind is None:
        kind = _usual_tender_kind(tender_type)
    if kind not in TENDER_KINDS:
        raise WireError(f"the settings call tender {theirs!r} {kind!r}, which is no kind of tender")
    return kind


def _links(setting: Setting, retail: wire.Retail) -> tuple[str, ...]:
    """Keys of the sales and orders that goods came back from, in order, each once."""
    told = list(retail.links)
    for line in retail.lines:
        if isinstance(line.part, wire.Merchandise):
            told += line.part.links
    return _keys(setting, told)


def _keys(setting: Setting, told: Iterable[wire.Link]) -> tuple[str, ...]:
    keys = (_key(setting, link) for link in told if not _NO_RETURN.search(link.reason))
    return tuple(dict.fromkeys(key for key in keys if key))


def _key(setting: Setting, link: wire.Link) -> str:
    """Key of what a link names, "" when it names nothing that can be known."""
    if link.order:
        if link.order.startswith(("order/", "sale/")):
            return link.order
        orders = setting.settings.orders
        return key_of("order", orders, link.order) if orders else ""
    if not link.sequence or link.day is None:
        return ""
    header = setting.header
    store, till = link.store or header.store, link.till or header.till
    name = setting.connection.name
    return key_of("sale", name, store, till, link.day.isoformat(), link.sequence)


def _parties(setting: Setting, retail: wire.Retail) -> list[PartyDetails]:
    """The buyer as the log knows them, under the number of their loyalty account."""
    customer = retail.customer
    identifier = retail.loyalty or (customer.identifier if customer is not None else "")
    if not identifier:
        return []
    party = party_id(setting.connection.name, identifier)
    if customer is None:
        return [PartyDetails(party=party)]
    return [
        PartyDetails(
            party=party,
            name=customer.name,
            email=customer.email,
            phone=customer.phone,
            street=customer.street,
            city=customer.city,
            postcode=customer.postcode,
            country=customer.country,
        )
    ]
