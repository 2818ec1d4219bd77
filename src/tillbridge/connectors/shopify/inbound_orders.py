"""Orders: one payload is one whole version of an order, with what is embedded in it.

Version = `updated_at` in UTC; arrival order does not matter. Embedded transactions, fulfilments
and refunds are told as facts of their own beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import party_id
from tillbridge.atoms.money import MoneyError, to_minor
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import (
    Order,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    Place,
    Presentment,
)
from tillbridge.connectors.shopify import wire
from tillbridge.connectors.shopify.inbound_lines import order_lines
from tillbridge.connectors.shopify.inbound_payments import amount_of, captured, payments
from tillbridge.connectors.shopify.inbound_refunds import refund_issued
from tillbridge.connectors.shopify.inbound_scope import Scope, plain_text, version
from tillbridge.connectors.shopify.inbound_shipments import goods_shipped
from tillbridge.contract.promises import Translation

CANCEL_REASONS = ("customer", "fraud", "inventory", "declined", "staff", "other")
# Paid in full at some time; refunds are facts of their own and take nothing off it.
PAID_IN_FULL = ("paid", "partially_refunded", "refunded")


def order_told(order: wire.Order, topic: str, scope: Scope) -> Translation:
    """Everything an order payload says. Raises NeedsDecision when it contradicts itself, and
    CurrencyDiffers when a transaction is told in the buyer's currency only.
    """
    if topic == "orders/cancelled" and order.cancelled_at is None:
        raise NeedsDecision(
            "amounts_contradict",
            f"order {plain_text(order.name)} is told as cancelled without a time of cancelling",
            owner="ecommerce",
        )
    # Before any name is asked for: the answer may be to read the order instead.
    for transaction in (*order.transactions, *(t for r in order.refunds for t in r.transactions)):
        amount_of(transaction, scope)
    party, details = _party(order, scope)
    told = _order(order, party, scope)
    facts = [_fact(order, told, topic, scope), *_embedded(order, scope)]
    return Translation(facts=tuple(facts), parties=details)


def _fact(order: wire.Order, told: Order, topic: str, scope: Scope) -> Fact:
    key = scope.order_key(order.id)
    if order.cancelled_at is not None:
        about = scope.about(
            key, f"{key}@{told.version}/cancelled", order.cancelled_at, told.location
        )
        return OrderCancelled(order=told, **about)
    if topic == "orders/create":
        about = scope.about(key, f"{key}@{told.version}/placed", told.placed_at, told.location)
        return OrderPlaced(order=told, **about)
    about = scope.about(key, f"{key}@{told.version}/changed", order.updated_at, told.location)
    return OrderChanged(order=told, **about)


def _embedded(order: wire.Order, scope: Scope) -> Iterator[Fact]:
    refund_of = {
        wire.number(transaction.id): wire.number(refund.id)
        for refund in order.refunds
        for transaction in refund.transactions
    }
    for transaction in order.transactions:
        yield from payments(transaction, order.id, scope, refund_of)
    for fulfillment in order.fulfillments:
        yield goods_shipped(fulfillment, order.id, scope)
    for refund in order.refunds:
        yield refund_issued(refund, order.id, scope, order=order)


def _order(order: wire.Order, party: str, scope: Scope) -> Order:
    lines, total = order_lines(order, scope)
    paid = _paid(order, total, scope)
    location = ""
    if order.location_id is not None:
        number = wire.number(order.location_id)
        location = scope.names.ours("location", number, where="order, location")
    return Order(
        number=plain_text(order.name),
        channel=_channel(order, scope),
        currency=scope.currency,
        version=version(order.updated_at),
        # When the buyer bought; an imported order was created later.
        placed_at=(order.processed_at or order.created_at).astimezone(UTC),
        total=total,
        lines=lines,
        party=party,
        ship_to=_place(order.shipping_address),
        tax_inclusive=order.taxes_included,
        paid_stated=paid,
        tenders=_tenders(order, scope, paid),
        location=location,
        cancelled_at=order.cancelled_at and order.cancelled_at.astimezone(UTC),
        cancel_reason=_cancel_reason(order),
        test=order.test,
        presentment=_presentment(order, scope),
        payment_days=_payment_days(order),
    )


def _payment_days(order: wire.Order) -> int | None:
    """How long an order on terms waits for its payment, None = it has none. A fixed day counts from
    the order on; terms without either (due on receipt, on fulfilment) are due at once.
    https://shopify.dev/docs/api/admin-rest/latest/resources/order names the object `payment_terms`.
    """
    terms = order.payment_terms
    if terms is None:
        return None
    if terms.due_in_days is not None:
        return max(terms.due_in_days, 0)
    due = [one.due_at for one in terms.payment_schedules if one.due_at is not None]
    placed = order.processed_at or order.created_at
    return max((max(due) - placed).days, 0) if due else 0


def _presentment(order: wire.Order, scope: Scope) -> Presentment | None:
    """What the buyer saw, where he was shown another currency than the shop's. It is evidence: a
    figure that cannot be one of its currency is left out, and holds no order up.
    """
    total = order.total_price_set and order.total_price_set.presentment_money
    if not total or total.currency_code == scope.currency:
        return None
    tax = order.total_tax_set and order.total_tax_set.presentment_money
    try:
        return Presentment(
            currency=total.currency_code,
            total=to_minor(wire.decimal(total.amount), total.currency_code),
            tax=to_minor(wire.decimal(tax.amount), total.currency_code) if tax else 0,
        )
    except MoneyError:
        return None


def _cancel_reason(order: wire.Order) -> str:
    reason = order.cancel_reason
    if order.cancelled_at is None or not reason:
        return ""
    return reason if reason in CANCEL_REASONS else "other"


def _channel(order: wire.Order, scope: Scope) -> str:
    if scope.settings.channel_from_source and order.source_name:
        return scope.names.ours("channel", order.source_name.strip(), where="order, source")
    return scope.connection.channel


def _tenders(order: wire.Order, scope: Scope, paid: int | None) -> tuple[str, ...]:
    """Our codes of the gateways, in the shop's order, each once. Money that came by no gateway
    (an order that an app marked as paid) comes by the tender `unnamed`.
    """
    gateways = [name for name in order.payment_gateway_names if name.strip()]
    if not gateways:
        gateways = [found.gateway for found in order.transactions if found.gateway.strip()]
    if not gateways and paid:
        gateways = [""]
    asked = [scope.tender(gateway, "order, payment") for gateway in dict.fromkeys(gateways)]
    return tuple(dict.fromkeys(code for code in asked if code))


def _paid(order: wire.Order, total: int, scope: Scope) -> int | None:
    """Paid so far, refunds not taken off; None when the payload does not say.

    Transactions tell it best. Else the status: a full payment is the whole total, whatever
    `total_outstanding` says (documented payloads have a paid order with all of it outstanding, and
    after a refund it counts from the reduced total); a part payment is what is not outstanding.
    """
    if order.transactions:
        return captured(order.transactions, scope)
    status = order.financial_status
    if status is None:
        return None
    if status in ("paid", "partially_refunded") and _edited_down(order, total, scope):
        left = scope.minor(order.current_total_price or "0", None, "current total")
        owed_back = -scope.minor(order.total_outstanding or "0", None, "outstanding", signed=True)
        return min(left + owed_back + _given_back(order, scope), total)
    if status in PAID_IN_FULL:
        return total
    if status == "partially_paid":
        if order.total_outstanding is None:
            return None
        outstanding = scope.minor(order.total_outstanding, None, "outstanding", signed=True)
        header = scope.minor(order.total_price, order.total_price_set, "total")
        return max(header - outstanding, 0)
    return 0


def _edited_down(order: wire.Order, total: int, scope: Scope) -> bool:
    """Whether less is left than was ever ordered and nothing is outstanding. What was paid is then
    what is left, what is owed back and what was given back: the total counts lines that were taken
    out before the money came, and both sides of an exchange.
    """
    if order.current_total_price is None or order.total_outstanding is None:
        return False
    outstanding = scope.minor(order.total_outstanding, None, "outstanding", signed=True)
    left = scope.minor(order.current_total_price, None, "current total")
    return outstanding <= 0 and left < total


def _given_back(order: wire.Order, scope: Scope) -> int:
    """What refunds of the payload gave back, minor units."""
    return sum(
        amount_of(one, scope)
        for refund in order.refunds
        for one in refund.transactions
        if one.status == "success" and one.kind == "refund"
    )


def _place(address: wire.Address | None) -> Place:
    """Country, region and the first part of the postcode; the rest is the vault's."""
    if address is None:
        return Place()
    return Place(
        country=_code(address.country_code),
        region=_code(address.province_code),
        postcode_area=postcode_area(address.zip or ""),
    )


def _code(text: str | None) -> str:
    found = (text or "").strip().upper()
    return found if re.fullmatch(r"[A-Z0-9-]{1,6}", found) else ""


def postcode_area(postcode: str) -> str:
    """The part of a postcode that names a district, not a street: up to the first blank or dash
    (SW1A 1AA -> SW1A, 02-777 -> 02), the first three characters where that is longer than four.
    """
    first = re.split(r"[\s-]", postcode.strip().upper(), maxsplit=1)[0]
    if not re.fullmatch(r"[A-Z0-9]*", first):
        return ""
    return first if len(first) <= 4 and first != postcode.strip().upper() else first[:3]


def _party(order: wire.Order, scope: Scope) -> tuple[str, tuple[PartyDetails, ...]]:
    """Party id of the buyer and the personal data that goes to the vault; nothing personal told,
    no party.
    """
    customer = order.customer or wire.Customer()
    address = order.shipping_address or order.billing_address or customer.default_address
    found = address or wire.Address()
    email = (order.email or customer.email or "").strip()
    name = _name(found.first_name, found.last_name) or _text(found.name)
    details = {
        "name": _name(customer.first_name, customer.last_name) or name,
        "email": email,
        "phone": _text(order.phone or customer.phone or found.phone),
        "company": _text(found.company),
        "street": _text(found.address1),
        "street2": _text(found.address2),
        "city": _text(found.city),
        "postcode": _text(found.zip),
        "region": _text(found.province_code or found.province),
        "country": _text(found.country_code),
    }
    if customer.id is None and not any(details.values()):
        return "", ()
    known_as = wire.number(customer.id) if customer.id is not None else email.lower()
    party = party_id(scope.connection.name, known_as or f"order:{wire.number(order.id)}")
    if not any(details.values()):
        return party, ()
    return party, (PartyDetails(party=party, **details),)


def _name(first: str | None, last: str | None) -> str:
    return " ".join(part for part in (_text(first), _text(last)) if part)


def _text(text: str | None) -> str:
    return plain_text(text, 300)
