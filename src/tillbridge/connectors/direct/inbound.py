"""Orders handed in become OrderPlaced, or OrderCancelled: one document, one whole version. Pure.

What is handed in about their payments is in the file beside this one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import party_id
from tillbridge.atoms.money import MoneyError, to_minor, to_text
from tillbridge.atoms.quantity import QuantityError, to_thousandths
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.orders import (
    Order,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    Place,
    TaxLine,
)
from tillbridge.canonical.stock import hold_key
from tillbridge.connectors.direct import wire_payments
from tillbridge.connectors.direct.inbound_payments import payment_told, tender_of
from tillbridge.connectors.direct.keys import MAPPING, order_key
from tillbridge.connectors.direct.wire import TOPIC, Address, Line, OrderDocument, Tax
from tillbridge.contract import wire
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Message, Translation

PPM = 10_000  # parts per million in one percent


def translate(message: Message, connection: Connection, names: Names) -> Translation:
    """Facts of a stored document."""
    if message.topic == wire_payments.TOPIC:
        payment = wire.parse(wire_payments.PaymentDocument, message.body)
        tender = tender_of(payment.tender, f"payment {payment.reference}", names)
        return payment_told(msgspec.structs.replace(payment, tender=tender), connection)
    if message.topic != TOPIC:
        return Translation(ignored=f"topic {message.topic[:40]!r} means nothing here")
    order = wire.parse(OrderDocument, message.body)
    tender = tender_of(order.tender, f"order {order.number}", names)
    return order_told(msgspec.structs.replace(order, tender=tender), connection)


def order_told(document: OrderDocument, connection: Connection) -> Translation:
    """The order and its buyer. Raises NeedsDecision when amounts cannot be or contradict."""
    key = order_key(connection.name, document.number)
    try:
        order, parties = _order(document, connection)
        about = _about(key, order, document, connection)
    except (MoneyError, QuantityError, OverflowError) as problem:
        # OverflowError: an instant at either end of the calendar has no place in another zone.
        raise NeedsDecision(
            "body_unreadable", f"order {document.number}: {problem}", owner="integration"
        ) from None
    fact = OrderPlaced if order.cancelled_at is None else OrderCancelled
    return Translation(facts=(fact(order=order, **about),), parties=parties)


def _about(
    key: str, order: Order, document: OrderDocument, connection: Connection
) -> dict[str, Any]:
    at = _told_at(document).astimezone(UTC)
    zone = connection.location_zones.get(document.location, connection.timezone)
    entity = connection.location_entities.get(document.location, connection.entity)
    end = "/cancelled" if order.cancelled_at is not None else ""
    return {
        "key": key,
        "id": f"{key}@{order.version}{end}",
        "source": connection.name,
        "mapping": MAPPING,
        "occurred_at": at,
        "business_date": at.astimezone(ZoneInfo(zone)).date(),
        "entities": Entities(selling=entity),
    }


def _order(
    document: OrderDocument, connection: Connection
) -> tuple[Order, tuple[PartyDetails, ...]]:
    currency = document.currency
    lines = tuple(_line(line, currency) for line in document.lines)
    names = {line.line for line in lines}
    if len(names) != len(lines):
        raise _contradiction(document, "two lines have one name")
    total = to_minor(document.total, currency)
    summed = sum(line.gross for line in lines)
    if summed != total:
        told, found = to_text(total, currency), to_text(summed, currency)
        raise _contradiction(document, f"the total says {told} and the lines say {found}")
    if document.tax == "missing" and any(line.taxes for line in lines):
        raise _contradiction(document, "its tax is missing and a line names one")
    parties = _buyer(document, connection)
    order = Order(
        number=document.number,
        channel=connection.channel,
        currency=currency,
        version=_version(_told_at(document)),
        placed_at=document.placed_at.astimezone(UTC),
        total=total,
        lines=lines,
        party=parties[0].party if parties else "",
        ship_to=_place(document.ship_to),
        paid_stated=to_minor(document.paid, currency) if document.paid else None,
        tenders=(document.tender,) if document.tender else (),
        location=document.location,
        collect_at=document.collect_at,
        cancelled_at=document.cancelled_at and document.cancelled_at.astimezone(UTC),
        cancel_reason=document.cancel_reason if document.cancelled_at else "",
        test=document.test,
        tax=document.tax,
        payment_days=document.payment_days,
        reservation=hold_key(connection.channel, document.reservation)
        if document.reservation
        else "",
        replaces=order_key(connection.name, document.replaces) if document.replaces else "",
    )
    return order, parties


def _line(line: Line, currency: str) -> OrderLine:
    if line.kind == "goods" and not line.product:
        raise MoneyError(f"line {line.line} is goods without a product")
    return OrderLine(
        line=line.line,
        kind=line.kind,
        product=line.product,
        quantity=_quantity(line),
        list=to_minor(line.list, currency),
        discount=to_minor(line.discount, currency),
        taxes=tuple(_tax(tax, currency) for tax in line.taxes),
        unit=line.unit,
        department=line.department,
        promotion=line.promotion,
        title=line.title,
        ships=line.ships and line.kind == "goods",
    )


def _tax(tax: Tax, currency: str) -> TaxLine:
    return TaxLine(
        code=tax.code,
        jurisdiction=tax.jurisdiction,
        amount=to_minor(tax.amount, currency),
        base=to_minor(tax.base, currency) if tax.base else 0,
        rate_ppm=_ppm(tax.rate) if tax.rate else None,
        collector=tax.collector,
    )


def _ppm(percent: str) -> int:
    found = Decimal(percent) * PPM
    if found != found.to_integral_value():
        raise MoneyError(f"a tax rate of {percent} % is finer than a part per million")
    return int(found)


def _buyer(document: OrderDocument, connection: Connection) -> tuple[PartyDetails, ...]:
    """The buyer's personal data for the vault; nothing personal told, no party."""
    customer, to = document.customer, document.ship_to or Address("XX")
    details = {
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "company": customer.company,
        "street": to.street,
        "street2": to.street2,
        "city": to.city,
        "postcode": to.postcode,
        "region": to.region,
        "country": to.country if document.ship_to else "",
    }
    personal = ("name", "email", "phone", "company", "street", "street2")
    if not customer.id and not any(details[name] for name in personal):
        return ()
    known_as = customer.id or customer.email.lower() or f"order:{document.number}"
    return (PartyDetails(party=party_id(connection.name, known_as), **details),)


def _place(address: Address | None) -> Place:
    """Country, region and the part of the postcode that names a district; no street."""
    if address is None:
        return Place()
    area, _, rest = address.postcode.upper().replace("-", " ").partition(" ")
    if not area.isalnum() or not area.isascii():
        area = ""
    return Place(address.country, address.region, area if rest and len(area) <= 4 else area[:3])


def _quantity(line: Line) -> int:
    found = to_thousandths(line.quantity)
    if not found:
        raise QuantityError(f"line {line.line} has no quantity")
    return found


def _told_at(document: OrderDocument) -> datetime:
    """When this version came to be. What it changes is booked on this day: money that a later one
    does not have any more went back then, not when the order was placed.
    """
    return document.updated_at or document.cancelled_at or document.placed_at


def _version(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _contradiction(document: OrderDocument, words: str) -> NeedsDecision:
    return NeedsDecision(
        "amounts_contradict", f"order {document.number}: {words}", owner="ecommerce"
    )
