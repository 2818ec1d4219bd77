"""Money movements of an order as a provider or channel tells them, one fact per transaction.

One movement may be told by several roads (the checkout's own answer, the channel's transactions,
the provider's webhook), each with a reference of its own; what they share is the payment intent.
"""

from __future__ import annotations

from datetime import datetime

from tillbridge.canonical.fact import Fact

TENDER_KINDS = ("card", "cash", "wallet", "gift_card", "store_credit", "coupon", "account", "other")
CARD_TENDERS = ("gift_card", "store_credit")
# who tells a payment, where one source carries several tellers: itself, or the payment service
PROVIDER = "provider"
ROADS = ("", PROVIDER)
DISPUTE_OUTCOMES = ("won", "lost")


class Payment(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """What all payment facts carry.

    reference: the teller's transaction id; the identity of the movement on its road.
    parent: reference of the transaction it follows (capture -> authorisation), or "".
    tender: our tender code. amount: minor units of `currency`, positive.
    intent: the provider's payment intent, the same on every road; "" = none is told.
    road: one of ROADS; "" = the source itself tells it.
    card: id of the gift card or store credit that was used or filled, never a payment card number.
    """

    reference: str
    tender: str
    amount: int
    currency: str
    parent: str = ""
    intent: str = ""
    road: str = ""
    card: str = ""


class PaymentAuthorized(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A provider holds an amount until an instant, None = it does not say; nothing is booked."""

    until: datetime | None = None


class PaymentVoided(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A held amount was let go before capture; nothing is booked."""


class PaymentFailed(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A payment attempt failed; nothing is booked."""


class PaymentCaptured(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A provider took the money (kinds capture and sale)."""


class PaymentRefunded(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A provider gave money back; `refund` is the channel's refund it belongs to, or ""."""

    refund: str = ""


class RefundFailed(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A refund that was told as paid came back to us: the buyer is owed it again.

    reference: that of the refund.
    """


class AuthorizationLapsing(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The hub's clock reached the time at which somebody has to look after a held amount.

    reference: that of the authorisation; until: when it lapses.
    """

    reference: str
    until: datetime


class PaymentDisputed(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A buyer disputes a payment at his bank and the provider took the money back until decided.

    dispute: the provider's id. reference, intent: of the payment. amount, fee: minor units of
    `currency`, positive. respond_by: until when evidence counts, None = not told.
    """

    dispute: str
    tender: str
    amount: int
    currency: str
    reference: str = ""
    intent: str = ""
    fee: int = 0
    reason: str = ""
    respond_by: datetime | None = None


class DisputeResolved(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The bank decided a dispute; the latest decision counts.

    outcome: one of DISPUTE_OUTCOMES. amount: what came back to us of a dispute that was won, minor
    units; 0 = all of it.
    """

    dispute: str
    outcome: str
    currency: str
    amount: int = 0
