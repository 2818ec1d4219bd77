"""What Stripe writes: columns of its exports, objects of its API, its categories and types.

Sources: docs.stripe.com/api/balance_transactions/object and /payouts/object (the API and its
exports: whole numbers of minor units), docs.stripe.com/reports/report-types/payout-reconciliation
(itemised reports: decimals in major units), docs.stripe.com/reports/reporting-categories.
"""

from __future__ import annotations

import msgspec

# reporting_category -> settlement line type; it splits `type=adjustment`, so it is asked first
CATEGORIES = {
    "charge": "sale",
    "partial_capture_reversal": "sale",
    "charge_failure": "sale",
    "refund": "refund",
    "refund_failure": "refund_failed",
    "dispute": "chargeback",
    "dispute_reversal": "chargeback_reversed",
    "fee": "fee",
    "network_cost": "fee",
    "tax": "tax",
    "risk_reserved_funds": "reserve",
    "connect_reserved_funds": "reserve",
    "advance": "advance",
    "advance_funding": "advance",
    "anticipation_repayment": "advance",
    "financing_payout": "advance",
    "financing_paydown": "advance",
    "financing_payout_reversal": "advance",
    "financing_paydown_reversal": "advance",
    "topup": "topup",
    "topup_reversal": "topup",
    "transfer": "transfer",
    "transfer_reversal": "transfer",
    "currency_conversion": "fx",
    "payout": "payout",
    "payout_reversal": "payout_failed",
    "payout_minimum_balance_hold": "carried",
    "payout_minimum_balance_release": "carried",
    "other_adjustment": "adjustment",
}
# `type`, where there is no category; `adjustment` says nothing about what was adjusted
TYPES = {
    "charge": "sale",
    "payment": "sale",
    "payment_failure_refund": "sale",
    "payment_reversal": "sale",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failed",
    "stripe_fee": "fee",
    "application_fee": "fee",
    "network_cost": "fee",
    "tax_fee": "tax",
    "reserve_transaction": "reserve",
    "reserved_funds": "reserve",
    "reserve_hold": "reserve",
    "reserve_release": "reserve",
    "advance": "advance",
    "advance_funding": "advance",
    "anticipation_repayment": "advance",
    "topup": "topup",
    "topup_reversal": "topup",
    "transfer": "transfer",
    "transfer_refund": "transfer",
    "transfer_cancel": "transfer",
    "payout": "payout",
    "payout_cancel": "payout_failed",
    "payout_failure": "payout_failed",
    "payout_minimum_balance_hold": "carried",
    "payout_minimum_balance_release": "carried",
}
STATES = {
    "pending": "scheduled",
    "in_transit": "in_transit",
    "paid": "paid",
    "failed": "failed",
    "canceled": "canceled",
}
LINES = ("id", "amount", "fee", "net", "currency", "type")
REPORT = ("balance_transaction_id", "gross", "fee", "net", "currency", "reporting_category")
PAYOUTS = ("id", "amount", "currency", "arrival_date", "status")
ZERO_IN_HUNDREDTHS = frozenset({"ISK", "UGX"})
"""Written with two decimals that are always 00 (docs.stripe.com/currencies, special cases)."""


class TraceId(msgspec.Struct, frozen=True):
    """What the bank's line will hold, once a bank has told it."""

    status: str = ""
    value: str | None = None


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """One payout; amounts in minor units, instants in seconds since 1970."""

    id: str
    object: str
    amount: int
    currency: str
    arrival_date: int
    created: int
    status: str
    automatic: bool = True
    livemode: bool = True
    reconciliation_status: str | None = None
    trace_id: TraceId | None = None
    failure_code: str | None = None
    failure_message: str | None = None


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """What moved the money, of an expanded `source`: only what says which payment it is about.
    Whatever else it holds (names, addresses, cards) is not kept.
    """

    id: str
    object: str = ""
    charge: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] = {}


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """One balance transaction."""

    id: str
    object: str
    amount: int
    fee: int
    net: int
    currency: str
    type: str
    created: int
    reporting_category: str = ""
    source: str | Source | None = None
    exchange_rate: float | None = None
    description: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """A list: its objects as they came."""

    data: list[msgspec.Raw]
    has_more: bool


class Failure(msgspec.Struct, frozen=True):
    """What an error says."""

    type: str = ""
    code: str = ""
    message: str = ""
    param: str = ""


class Failed(msgspec.Struct, frozen=True):
    """The body of an error."""

    error: Failure
