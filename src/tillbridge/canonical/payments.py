"""Money movements of an order as a provider or channel tells them, one fact per transaction."""

from __future__ import annotations

from tillbridge.canonical.fact import Fact

TENDER_KINDS = ("card", "cash", "wallet", "gift_card", "store_credit", "coupon", "account", "other")


class Payment(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """What all payment facts carry.

    reference: the provider's transaction id; the identity of the movement everywhere.
    parent: reference of the transaction it follows (capture -> authorisation), or "".
    tender: our tender code. amount: minor units of `currency`, positive.
    """

    reference: str
    tender: str
    amount: int
    currency: str
    parent: str = ""


class PaymentAuthorized(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A provider holds an amount; nothing is booked."""


class PaymentVoided(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A held amount was let go before capture; nothing is booked."""


class PaymentFailed(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A payment attempt failed; nothing is booked."""


class PaymentCaptured(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A provider took the money (kinds capture and sale)."""


class PaymentRefunded(Payment, frozen=True, kw_only=True, omit_defaults=True):
    """A provider gave money back; `refund` is the channel's refund it belongs to, or ""."""

    refund: str = ""
