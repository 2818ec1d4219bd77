"""What is handed in about payments becomes payment facts under their order's key. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, to_minor
from tillbridge.canonical import payments
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.connectors.direct.keys import MAPPING, order_key
from tillbridge.connectors.direct.wire_payments import PaymentDocument
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Translation

_KINDS: dict[str, type[payments.Payment]] = {
    "authorized": payments.PaymentAuthorized,
    "captured": payments.PaymentCaptured,
    "voided": payments.PaymentVoided,
    "failed": payments.PaymentFailed,
    "refunded": payments.PaymentRefunded,
    "refund_failed": payments.RefundFailed,
}
_ENDS = {"dispute_won": "won", "dispute_lost": "lost"}
_WITHOUT_AMOUNT = ("voided", *_ENDS)


def payment_told(document: PaymentDocument, connection: Connection) -> Translation:
    """The fact. Raises NeedsDecision when the amount cannot be or a name is missing."""
    try:
        return Translation(facts=(_fact(document, connection),))
    except (MoneyError, OverflowError) as problem:
        # OverflowError: an instant at either end of the calendar has no place in another zone.
        words = f"payment {document.reference}: {problem}"
        raise NeedsDecision("body_unreadable", words, owner="integration") from None


def tender_of(told: str, where: str, names: Names) -> str:
    """Our code of a tender: itself where it reads like a kind (`gift-card`), else by the
    cross-references. A text nobody knows is noted as a missing name, which holds the fact back; it
    never makes an account.
    """
    if not told or told.replace("-", "_") in payments.TENDER_KINDS:
        return told
    return names.ours("tender", told, where=where) or told


def _fact(document: PaymentDocument, connection: Connection) -> Fact:
    key = order_key(connection.name, document.order)
    currency = document.currency
    amount = to_minor(document.amount, currency) if document.amount else 0
    if not amount and document.kind not in _WITHOUT_AMOUNT:
        raise MoneyError(f"{document.kind} without an amount")
    if not document.tender and document.kind not in _ENDS:
        raise MoneyError(f"{document.kind} without a tender")
    about: dict[str, Any] = {
        "key": key,
        "id": f"{key}/payment/{document.reference}/{document.kind}",
        "source": connection.name,
        "mapping": MAPPING,
        "occurred_at": document.at.astimezone(UTC),
        "business_date": document.at.astimezone(ZoneInfo(connection.timezone)).date(),
        "entities": Entities(selling=connection.entity),
        "currency": currency,
        "amount": amount,
    }
    if document.kind in _ENDS:
        outcome = _ENDS[document.kind]
        return payments.DisputeResolved(dispute=document.reference, outcome=outcome, **about)
    about["tender"] = document.tender
    if document.kind == "disputed":
        return payments.PaymentDisputed(
            dispute=document.reference,
            reference=document.parent,
            intent=document.intent,
            fee=to_minor(document.fee, currency),
            reason=document.reason,
            respond_by=_utc(document.respond_by),
            **about,
        )
    about |= {
        "reference": document.reference,
        "parent": document.parent,
        "intent": document.intent,
        "road": payments.PROVIDER if document.told_by == "provider" else "",
        "card": document.card,
    }
    if document.kind == "authorized":
        return payments.PaymentAuthorized(until=_utc(document.until), **about)
    if document.kind == "refunded":
        return payments.PaymentRefunded(refund=document.refund, **about)
    return _KINDS[document.kind](**about)


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)
