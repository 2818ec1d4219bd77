"""Transactions of an order: one fact per movement, keyed by the shop's transaction id.

Only a successful transaction moved or held money. A pending one says nothing yet; it is told again
when it ends. A failed refund is a state of its refund, not a failed payment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.payments import (
    Payment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentFailed,
    PaymentRefunded,
    PaymentVoided,
)
from tillbridge.connectors.shopify import wire
from tillbridge.connectors.shopify.inbound_scope import CurrencyDiffers, Scope

SUCCEEDED: Mapping[str, type[Payment]] = {
    "authorization": PaymentAuthorized,
    "emv_authorization": PaymentAuthorized,
    "capture": PaymentCaptured,
    "sale": PaymentCaptured,
    "void": PaymentVoided,
    "refund": PaymentRefunded,
    # Cash given back at the till because too much was handed over.
    "change": PaymentRefunded,
}
FAILED = ("failure", "error")
GIFT_CARD = "gift_card"


def payments(
    transaction: wire.Transaction,
    order: wire.Id,
    scope: Scope,
    refund_of: Mapping[str, str],
) -> Iterator[Fact]:
    """The fact a transaction is, if any. refund_of: transaction -> refund it belongs to."""
    kind = SUCCEEDED[transaction.kind]
    if transaction.status in FAILED:
        if transaction.kind in ("refund", "change", "void"):
            return
        kind = PaymentFailed
    elif transaction.status != "success":
        return
    reference = wire.number(transaction.id)
    where = f"transaction {reference}"
    key = scope.order_key(order)
    ended = "failed" if kind is PaymentFailed else transaction.kind
    about = scope.about(
        key,
        f"{key}/payment/{reference}/{ended}",
        transaction.processed_at or transaction.created_at,
    )
    about |= {
        "reference": reference,
        "tender": scope.tender(transaction.gateway, where),
        "amount": amount_of(transaction, scope),
        "currency": scope.currency,
        "parent": "" if transaction.parent_id is None else wire.number(transaction.parent_id),
        "intent": transaction.payment_id or "",
        "card": gift_card(transaction),
    }
    if kind is PaymentAuthorized:
        until = transaction.authorization_expires_at
        about["until"] = until and until.astimezone(UTC)
    if kind is PaymentRefunded:
        about["refund"] = refund_of.get(reference, "")
    yield kind(**about)


def gift_card(transaction: wire.Transaction) -> str:
    """The shop's id of the gift card used or filled, "" when it is none or not told.

    The id (never the code that spends the card) stands in the receipt of the gateway `gift_card`:
    an object in webhooks, its JSON text where the order is read again.
    """
    if transaction.gateway.strip() != GIFT_CARD:
        return ""
    receipt = transaction.receipt
    if isinstance(receipt, str):
        try:
            receipt = msgspec.json.decode(receipt)
        except msgspec.DecodeError:
            return ""
    found = receipt.get("gift_card_id") if isinstance(receipt, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | str):
        return ""
    number = str(found).rsplit("/", 1)[-1]
    return f"shopify-{number}" if number.isascii() and number.isdigit() else ""


def amount_of(transaction: wire.Transaction, scope: Scope) -> int:
    """Minor units in the shop's currency; raises CurrencyDiffers when only the buyer's is told."""
    told_in = transaction.currency
    if transaction.amount_set is None and told_in is not None and told_in != scope.currency:
        raise CurrencyDiffers
    where = f"transaction {wire.number(transaction.id)}"
    return scope.minor(transaction.amount, transaction.amount_set, where)


def captured(transactions: Iterable[wire.Transaction], scope: Scope) -> int:
    """What was taken so far, change given back taken off, refunds not."""
    signs = {"capture": 1, "sale": 1, "change": -1}
    return sum(
        signs.get(found.kind, 0) * amount_of(found, scope)
        for found in transactions
        if found.status == "success"
    )
