"""What Stripe writes: columns of its exports, its categories and types.

Sources: docs.stripe.com/api/balance_transactions/object and /payouts/object (API exports: whole
numbers of minor units), docs.stripe.com/reports/report-types/payout-reconciliation (itemised
reports: decimals in major units), docs.stripe.com/reports/reporting-categories.
"""

from __future__ import annotations

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
