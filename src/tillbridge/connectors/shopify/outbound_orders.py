"""What became of an order, in the vendor's words: fulfilments, refunds, cancellations. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.money import to_minor, to_text
from tillbridge.atoms.quantity import SCALE
from tillbridge.canonical.channel_documents import FulfilmentDocument, RefundDocument
from tillbridge.canonical.returns import RefundPayment
from tillbridge.connectors.shopify.dealings import Money, Sent, ToSend, Transaction
from tillbridge.connectors.shopify.inbound_refunds import PAYMENT_STATES
from tillbridge.connectors.shopify.wire import number
from tillbridge.contract.promises import Directory

_KEYS = uuid.UUID("0a6f7c1b-43c8-4f0e-8a53-9d1f2b7e6c44")
_OPEN = ("OPEN", "IN_PROGRESS")
PICK_UP = "PICK_UP"
CANCEL_REASONS = {"customer": "CUSTOMER", "stock": "INVENTORY", "fraud": "FRAUD"}


def gid(kind: str, number_: str) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{number_}"


def key_of(operation: str) -> str:
    """The idempotency key of an operation: the same one for ever."""
    return str(uuid.uuid5(_KEYS, operation))


def pieces(document: FulfilmentDocument) -> dict[str, int]:
    """Line item (global id) -> whole pieces. Raises Refused for what is none."""
    found: dict[str, int] = {}
    for line in document.lines:
        if line.quantity % SCALE:
            raise Refused(f"line {line.line} has no whole pieces; the shop counts nothing else")
        name = gid("LineItem", line.line)
        found[name] = found.get(name, 0) + line.quantity // SCALE
    return found


def place_of(directory: Directory, location: str) -> str:
    """Global id of a location of ours, "" where the shop has no such place."""
    found = directory.theirs("location", location) if location else None
    return gid("Location", found) if found and found.isascii() and found.isdigit() else ""


def already(document: FulfilmentDocument, sent: Iterable[Sent]) -> Sent | None:
    """The shop's own fulfilment of these goods: by its id, else by lines and tracking."""
    wanted = pieces(document)
    likely = []
    for one in sent:
        if document.theirs and number(one.id) == document.theirs:
            return one
        if one.status == "CANCELLED" or number(one.id) in document.others or one.lines != wanted:
            continue
        if one.tracking in ("", document.tracking) or not document.tracking:
            likely.append(one)
    same = [one for one in likely if one.tracking == document.tracking]
    return next(iter([*same, *likely]), None)


def open_orders(to_send: Iterable[ToSend], place: str) -> list[ToSend]:
    """Fulfilment orders that can be fulfilled, those of our place first."""
    able = [one for one in to_send if one.status in _OPEN]
    return sorted(able, key=lambda one: one.place != place)


def shares(document: FulfilmentDocument, orders: Sequence[ToSend]) -> dict[str, dict[str, int]]:
    """Fulfilment order -> its line -> pieces. Raises Refused where less is left than was sent."""
    found: dict[str, dict[str, int]] = {}
    for line, wanted in pieces(document).items():
        left = wanted
        for one in orders:
            name, remaining = one.lines.get(line, ("", 0))
            much = min(left, remaining)
            if much > 0:
                found.setdefault(one.id, {})[name] = much
                left -= much
        if left:
            raise Refused(
                f"{wanted} of line {number(line)} left, but the shop has {wanted - left} to send; "
                "look there for a fulfilment or a cancellation the hub was not told of"
            )
    return found


def fulfilment_to_wire(
    document: FulfilmentDocument, parts: Mapping[str, Mapping[str, int]], *, notify: bool
) -> dict[str, Any]:
    """FulfillmentInput."""
    found: dict[str, Any] = {
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": order, "fulfillmentOrderLineItems": lines_to_wire(lines)}
            for order, lines in parts.items()
        ],
        "notifyCustomer": notify,
    }
    if document.tracking:
        found["trackingInfo"] = tracking_to_wire(document)
    return found


def lines_to_wire(lines: Mapping[str, int]) -> list[dict[str, Any]]:
    """FulfillmentOrderLineItemInput."""
    return [{"id": name, "quantity": much} for name, much in lines.items()]


def tracking_to_wire(document: FulfilmentDocument) -> dict[str, Any]:
    """FulfillmentTrackingInput."""
    carrier = {"company": document.carrier} if document.carrier else {}
    return {"number": document.tracking, **carrier}


def delivered_to_wire(document: FulfilmentDocument, fulfilment: str) -> dict[str, Any]:
    """FulfillmentEventInput of a delivery."""
    at = document.happened_at.isoformat().replace("+00:00", "Z")
    return {"fulfillmentId": fulfilment, "status": "DELIVERED", "happenedAt": at}


def mark_of(operation: str) -> str:
    """How a refund's note ends that is ours."""
    return f"[{operation}]"


def refund_to_wire(
    document: RefundDocument,
    operation: str,
    order: str,
    money: Money,
    directory: Directory,
    *,
    notify: bool,
) -> dict[str, Any]:
    """RefundInput: each payment to transactions of its gateway, the oldest first."""
    if money.presentment != money.currency:
        raise Refused(
            f"the buyer paid in {money.presentment}; a refund in it has to be made in the shop"
        )
    parts = [
        {
            "orderId": order,
            "parentId": sale.id,
            "gateway": sale.gateway,
            "kind": "REFUND",
            "amount": to_text(much, document.currency),
        }
        for sale, much in _parents(document, money, directory)
    ]
    found: dict[str, Any] = {
        "orderId": order,
        "note": f"{document.reason or 'returned'} {mark_of(operation)}",
        "notify": notify,
        "refundLineItems": [
            {
                "lineItemId": gid("LineItem", line.line),
                "quantity": line.quantity // SCALE,
                "restockType": line.restock.upper(),
                **_restock_at(line.restock, line.location, directory),
            }
            for line in document.lines
        ],
        "transactions": parts,
    }
    freight = sum(one.net + one.tax for one in document.adjustments if one.kind == "shipping")
    if freight:
        found["shipping"] = {"amount": to_text(freight, document.currency)}
    return found


def _restock_at(restock: str, location: str, directory: Directory) -> dict[str, str]:
    place = place_of(directory, location) if restock != "no_restock" else ""
    return {"locationId": place} if place else {}


def _parents(
    document: RefundDocument, money: Money, directory: Directory
) -> list[tuple[Transaction, int]]:
    """Payments of the shop and how much of them goes back. Raises Refused where less is left."""
    left = {
        one.id: to_minor(one.amount, document.currency)
        for one in money.transactions
        if one.kind in ("SALE", "CAPTURE") and one.status == "SUCCESS"
    }
    for one in money.transactions:
        if one.kind == "REFUND" and one.status in ("SUCCESS", "PENDING") and one.parent in left:
            left[one.parent] -= to_minor(one.amount, document.currency)
    found = []
    for payment in document.payments:
        gateway = directory.theirs("tender", payment.tender)
        rest = payment.amount
        for one in money.transactions:
            much = min(rest, left.get(one.id, 0)) if one.gateway == gateway else 0
            if much > 0 and payment.parent in ("", number(one.id)):
                left[one.id] -= much
                rest -= much
                found.append((one, much))
        if rest:
            wanted, lacks = (to_text(much, document.currency) for much in (payment.amount, rest))
            words = f"{wanted} {document.currency} is to go back to {payment.tender}"
            raise Refused(f"{words}, and the shop has {lacks} too little of it left")
    return found


def payments_from_wire(
    rows: Iterable[Transaction], document: RefundDocument, directory: Directory
) -> tuple[RefundPayment, ...]:
    """The transactions of a refund the shop made, as its own telling has them."""
    tenders = {directory.theirs("tender", one.tender): one.tender for one in document.payments}
    return tuple(
        RefundPayment(
            reference=number(row.id),
            tender=tenders.get(row.gateway, document.payments[0].tender),
            amount=to_minor(row.amount, document.currency),
            state=PAYMENT_STATES.get(row.status.lower(), "pending"),
            parent=number(row.parent) if row.parent else "",
        )
        for row in rows
        if row.kind == "REFUND"
    )
