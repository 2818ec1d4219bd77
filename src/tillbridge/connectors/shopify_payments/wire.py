"""What Shopify Payments says: payouts and balance transactions of the Admin REST API, 2026-07.

Source: shopify.dev/docs/api/admin-rest resources/payouts and resources/transactions (Shopify
Payments). Amounts are decimal text; ids are numbers.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec

# type -> settlement line type; `adjustment`, `credit` and `debit` say nothing of what they are
TYPES = {
    "charge": "sale",
    "refund": "refund",
    "refund_failure": "refund_failed",
    "dispute": "chargeback",
    "dispute_reversal": "chargeback_reversed",
    "reserve": "reserve",
    "reserved_funds": "reserve",
    "reserved_funds_withdrawal": "reserve",
    "reserved_funds_reversal": "reserve",
    "payout": "payout",
    "payout_failure": "payout_failed",
    "payout_cancellation": "payout_failed",
    "adjustment": "adjustment",
    "credit": "adjustment",
    "debit": "adjustment",
    "stripe_fee": "fee",
    "seller_protection_credit": "reimbursement",
    "anomaly_credit": "adjustment",
    "anomaly_debit": "adjustment",
}
STATES = {
    "scheduled": "scheduled",
    "in_transit": "in_transit",
    "paid": "paid",
    "failed": "failed",
    "canceled": "canceled",
    "cancelled": "canceled",
}


class Payout(msgspec.Struct, frozen=True):
    """One payout."""

    id: int
    status: str
    date: date
    currency: str
    amount: str


class Transaction(msgspec.Struct, frozen=True):
    """One balance transaction; payout_id is null until it is assigned."""

    id: int
    type: str
    currency: str
    amount: str
    fee: str
    net: str
    payout_id: int | None = None
    test: bool = False
    source_id: int | None = None
    source_type: str | None = None
    source_order_id: int | None = None
    source_order_transaction_id: int | None = None
    processed_at: datetime | None = None
    adjustment_reason: str | None = None


class Payouts(msgspec.Struct, frozen=True):
    """A page of payouts: its objects as they came."""

    payouts: list[msgspec.Raw]


class Transactions(msgspec.Struct, frozen=True):
    """A page of balance transactions."""

    transactions: list[Transaction]
