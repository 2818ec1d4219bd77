"""Till sales: the rows of one receipt become one SaleRung. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time

from tillbridge.atoms.ids import key_of, party_id
from tillbridge.canonical.orders import Place, TaxLine
from tillbridge.canonical.sales import NOWHERE, SaleLine, SaleRung, SaleTender, order_of, parted
from tillbridge.connectors.feed.delivery import Delivery, differ
from tillbridge.connectors.feed.fields import Reading, unreadable
from tillbridge.connectors.feed.transforms import zone_of
from tillbridge.contract.promises import Translation


def sale(delivery: Delivery) -> Translation:
    """One SaleRung. Raises NeedsDecision when lines, total and tenders do not meet."""
    head = delivery.head()
    currency = delivery.currency_of(head)
    head = delivery.head(currency=currency)
    location = delivery.name("location", head, "location")
    zone = delivery.zone(location)
    day = head.day("day")
    at = head.instant("time", zone) or datetime.combine(day, time(), zone_of(zone)).astimezone(UTC)
    lines = tuple(_line(delivery, line) for line in delivery.parts("line", currency))
    taxes = tuple(_tax(delivery, tax) for tax in delivery.parts("tax", currency))
    tenders = tuple(_tender(delivery, tender) for tender in delivery.parts("tender", currency))
    if not lines:
        raise unreadable(delivery.places[0], "the sale has no line")
    key = delivery.key("sale", *delivery.identity())
    total = _proven_total(delivery, head, lines, taxes, tenders, currency)
    lines, taxes = parted(lines, taxes)
    party = head.text("party")
    order, source = head.text("order"), head.text("source") or delivery.connection.name
    orders = (key_of("order", source, order),) if order else ()
    goes_to = [head.text(field) for field in ("country", "region", "postcode_area")]
    fact = SaleRung(
        **delivery.carried(key, key, at, day, location),
        location=location,
        channel=delivery.connection.channel,
        till=head.text("till"),
        sequence=head.text("sequence"),
        currency=currency,
        total=total,
        lines=lines,
        tenders=tenders,
        taxes=taxes,
        party=party_id(delivery.connection.name, party) if party else "",
        receipt=head.text("receipt"),
        links=tuple(dict.fromkeys([*orders, *_originals(delivery, currency)])),
        ship_to=Place(*goes_to) if any(goes_to) else NOWHERE,
    )
    return Translation(facts=(fact,))


def _line(delivery: Delivery, line: Reading) -> SaleLine:
    """One line, signed: a return has negative quantity and amounts, however the file tells it."""
    quantity = line.quantity("quantity") or 0
    told_return = line.has("direction") and line.choice("direction") == "return"
    # A file that names the direction tells returns without sign; else the sign tells.
    sign = -1 if told_return and quantity > 0 else 1
    amounts = delivery.amounts(line, sign)
    quantity *= sign
    if quantity * amounts.list < 0:
        where = line.where("quantity")
        raise unreadable(
            where, f"quantity {quantity / 1000:g} and amount {amounts.list} disagree in sign"
        )
    original = _original(delivery, line)
    fulfil = line.choice("fulfil") if line.has("fulfil") else ""
    channel = delivery.connection.channel or delivery.connection.name
    return SaleLine(
        line=str(line.number),
        kind=line.choice("kind", "goods"),
        direction="return" if quantity < 0 or amounts.list < 0 or told_return else "sale",
        product=delivery.name("product", line, "product", line.text("title")),
        quantity=quantity,
        list=amounts.list,
        discount=amounts.discount,
        taxes=amounts.taxes,
        unit=line.text("unit") or "EA",
        department=delivery.name("department", line, "department"),
        promotion=line.text("promotion"),
        card=line.text("card"),
        title=line.text("title"),
        link="" if fulfil else original,
        fulfil=fulfil,
        place=delivery.name("location", line, "place") if fulfil else "",
        order=order_of(original, channel) if fulfil and original else "",
        order_line=line.text("original_line") if fulfil and original else "",
    )


def _original(delivery: Delivery, line: Reading) -> str:
    """Key of the receipt that goods come back from: its identity columns, joined by a slash."""
    told = line.text("original")
    return delivery.key("sale", *told.split("/")) if told else ""


def _originals(delivery: Delivery, currency: str) -> Iterator[str]:
    for line in delivery.parts("line", currency):
        if original := _original(delivery, line):
            yield original


def _tax(delivery: Delivery, tax: Reading) -> TaxLine:
    amount = tax.amount("amount") or 0
    return delivery.tax(tax, "code", amount, tax.amount("base") or 0, "rate")


def _tender(delivery: Delivery, tender: Reading) -> SaleTender:
    return SaleTender(
        tender=delivery.name("tender", tender, "tender"),
        kind=tender.choice("kind"),
        amount=tender.amount("amount") or 0,
        issuer=tender.choice("issuer", "own"),
        card=tender.text("card"),
    )


def _proven_total(
    delivery: Delivery,
    head: Reading,
    lines: tuple[SaleLine, ...],
    taxes: tuple[TaxLine, ...],
    tenders: tuple[SaleTender, ...],
    currency: str,
) -> int:
    """Total in minor units; lines and taxes meet it exactly, tenders up to cash rounding."""
    found = sum(line.net + sum(tax.amount for tax in line.taxes) for line in lines)
    found += sum(tax.amount for tax in taxes)
    stated = head.amount("total")
    if stated is not None and stated != found:
        words = f"{head.where('total')}: lines and taxes are"
        raise differ(words, found, "the total says", stated, currency, "stores")
    tendered = sum(tender.amount for tender in tenders)
    if abs(tendered - found) > delivery.settings.cash_rounding:
        words = f"{delivery.places[0]}: the sale is"
        raise differ(words, found, "its tenders are", tendered, currency, "stores")
    return found
