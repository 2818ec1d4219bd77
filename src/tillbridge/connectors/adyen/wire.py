"""What Adyen writes: columns of the settlement details report and its journal types.

Sources: docs.adyen.com/reporting/settlement-reconciliation/transaction-level/
settlement-details-report and .../journal-types. GC is the currency of the payment, NC that of the
payout; amounts are in major units. Merchants choose and order columns, so these are asked by name.
"""

from __future__ import annotations

# journal type -> settlement line type
TYPES = {
    "Settled": "sale",
    "SettledInInstallments": "sale",
    "Refunded": "refund",
    "RefundedInInstallments": "refund",
    "RefundedReversed": "refund_failed",
    "Chargeback": "chargeback",
    "SecondChargeback": "chargeback",
    "ChargebackReversed": "chargeback_reversed",
    "Fee": "fee",
    "MiscCosts": "fee",
    "PaymentCost": "fee",
    "AuthorisationSchemeFee": "fee",
    "InvoiceDeduction": "fee",
    "DepositCorrection": "reserve",
    "ReserveAdjustment": "reserve",
    "ManualCorrected": "adjustment",
    "MatchedStatement": "topup",
    "InternalCompanyPayout": "transfer",
    "Balancetransfer": "carried",
    "MerchantPayout": "payout",
    "BankInstructionReturned": "payout_failed",
}
# one row each of a capture, refund or dispute in a batch, so that these name the row
NAMED = frozenset({
    "Settled", "Refunded", "RefundedReversed", "Chargeback", "SecondChargeback",
    "ChargebackReversed",
})  # fmt: skip
FEES = ("commission (nc)", "markup (nc)", "scheme fees (nc)", "interchange (nc)")
COLUMNS = (
    "merchant account", "psp reference", "type", "modification reference", "gross currency",
    "gross debit (gc)", "gross credit (gc)", "net currency", "net debit (nc)", "net credit (nc)",
    *FEES, "batch number",
)  # fmt: skip
ALSO = (
    "company account", "merchant reference", "payment method", "creation date", "timezone",
    "booking date", "booking date timezone", "exchange rate",
)  # fmt: skip
