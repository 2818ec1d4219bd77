"""Feeds with one fact per row: stock counts, products, payments. Pure."""

from __future__ import annotations

import hashlib
from zoneinfo import ZoneInfo

import msgspec

from tillbridge.canonical import payments
from tillbridge.canonical.catalogue import ProductChanged
from tillbridge.canonical.stock import SELLABLE, StockCounted
from tillbridge.connectors.feed.delivery import Delivery
from tillbridge.connectors.feed.fields import unreadable
from tillbridge.connectors.feed.inbound_goods import happened
from tillbridge.contract.promises import Translation

_PAYMENTS: dict[str, type[payments.Payment]] = {
    "captured": payments.PaymentCaptured,
    "refunded": payments.PaymentRefunded,
    "authorized": payments.PaymentAuthorized,
    "voided": payments.PaymentVoided,
    "failed": payments.PaymentFailed,
    "refund_failed": payments.RefundFailed,
}


def stock(delivery: Delivery) -> Translation:
    """StockCounted. A file without a time of counting was counted when it came; such a count is
    told once per content, because nothing in it tells two of them apart.
    """
    row = delivery.head("row")
    location = delivery.name("location", row, "location")
    product = delivery.name("product", row, "product")
    zone = delivery.zone(location)
    counted = row.instant("counted_at", zone)
    quantity = row.quantity("quantity")
    if quantity is None:
        raise unreadable(row.where("quantity"), "quantity is empty")
    if counted is not None:
        happened(row, "counted_at", counted, delivery)
    condition = row.choice("condition", SELLABLE)
    key = delivery.key("stock", row.text("location"), row.text("product"))
    mark = (
        counted.isoformat() if counted else hashlib.sha256(delivery.message.body).hexdigest()[:16]
    )
    at = counted or delivery.message.received_at
    fact = StockCounted(
        **delivery.carried(
            key, _of(f"{key}@{mark}", condition), at, at.astimezone(ZoneInfo(zone)).date(), location
        ),
        product=product,
        location=location,
        quantity=quantity,
        counted_at=at,
        basis=row.choice("basis", "on_hand"),
        condition=condition,
        unit=row.text("unit"),
    )
    return Translation(facts=(fact,))


def _of(name: str, condition: str) -> str:
    return name if condition == SELLABLE else f"{name}/{condition}"


def product(delivery: Delivery) -> Translation:
    """ProductChanged."""
    row = delivery.head("row")
    currency = delivery.currency_of(row)
    row = delivery.head("row", currency)
    key = delivery.key("product", row.text("product"))
    price = row.amount("price")
    at = delivery.message.received_at
    fact = ProductChanged(
        **delivery.carried(
            key,
            f"{key}@{row.text('version')}",
            at,
            at.astimezone(ZoneInfo(delivery.connection.timezone)).date(),
        ),
        product=delivery.name("product", row, "product", row.text("title")),
        title=row.text("title"),
        version=row.text("version"),
        unit=row.text("unit") or "EA",
        gtin=row.text("gtin"),
        price=price,
        currency="" if price is None else currency,
        department=delivery.name("department", row, "department"),
        removed=row.flag("removed"),
    )
    return Translation(facts=(fact,))


def payment(delivery: Delivery) -> Translation:
    """One payment fact, under its order's key when the file names the order."""
    row = delivery.head("row")
    currency = delivery.currency_of(row)
    row = delivery.head("row", currency)
    amount = row.amount("amount")
    at = row.instant("at", delivery.connection.timezone)
    if amount is None or at is None:
        raise unreadable(row.where("amount"), "amount or time is empty")
    if amount < 0:
        words = f"amount: {amount} minor units is negative; tell refunds by kind"
        raise unreadable(row.where("amount"), words)
    reference, order = row.text("reference"), row.text("order")
    kind = row.choice("kind", "captured")
    key = delivery.order_key(order) if order else delivery.key("payment", reference)
    fact: payments.Payment = _PAYMENTS[kind](
        **delivery.carried(
            key,
            f"payment/{delivery.connection.name}/{reference}/{kind}",
            at,
            at.astimezone(ZoneInfo(delivery.connection.timezone)).date(),
        ),
        reference=reference,
        tender=delivery.name("tender", row, "tender"),
        amount=amount,
        currency=currency,
        parent=row.text("parent"),
        intent=row.text("intent"),
        card=row.text("card"),
    )
    if isinstance(fact, payments.PaymentAuthorized):
        until = row.instant("until", delivery.connection.timezone)
        fact = msgspec.structs.replace(fact, until=until)
    if isinstance(fact, payments.PaymentRefunded):
        fact = msgspec.structs.replace(fact, refund=row.text("refund"))
    return Translation(facts=(fact,))
