"""What Amazon writes: columns of its settlement files, its words for a row, the type each means.

Columns: developer-docs.amazon.com/sp-api/docs/settlement-reports-attributes (V2) and the field list
of the older flat file (V1). Amazon publishes no list of values; these were seen in reports and in
the help pages of sellers' tools. The list is open: what is not here is `unknown`.
"""

from __future__ import annotations

from functools import lru_cache

HEAD = ("settlement-id", "deposit-date", "total-amount", "currency", "transaction-type")
V2 = (*HEAD, "amount-type", "amount-description", "amount")
# V1 has a pair of columns for each kind of amount: kind, its words, the amount
V1_AMOUNTS = (
    ("ItemPrice", "price-type", "price-amount"),
    ("ItemFees", "item-related-fee-type", "item-related-fee-amount"),
    ("ShipmentFees", "shipment-fee-type", "shipment-fee-amount"),
    ("OrderFees", "order-fee-type", "order-fee-amount"),
    ("Promotion", "promotion-type", "promotion-amount"),
    ("DirectPayment", "direct-payment-type", "direct-payment-amount"),
    ("other-transaction", "", "misc-fee-amount"),
    ("other-transaction", "other-fee-reason-description", "other-fee-amount"),
    ("other-transaction", "", "other-amount"),
)
V1 = (*HEAD, *(amount for _, _, amount in V1_AMOUNTS))
ALSO = (
    "order-id",
    "merchant-order-id",
    "adjustment-id",
    "marketplace-name",
    "posted-date",
    "posted-date-time",
    "quantity-purchased",
)

# what the buyer paid, by the type of the transaction
MOVED = {
    "order": "sale",
    "orderretrocharge": "sale",
    "refund": "refund",
    "refundretrocharge": "refund",
    "chargebackrefund": "chargeback",
    "atozguaranteerefund": "chargeback",
}
PRICES = frozenset({
    "principal", "shipping", "giftwrap", "goodwill", "restockingfee", "returnshipping",
    "exportcharge", "coditemcharge", "codordercharge", "codshippingcharge",
})  # fmt: skip
TAXES = frozenset({"tax", "shippingtax", "giftwraptax", "taxdiscount", "codtax"})
# words that mean the same wherever they stand; the longest prefix is asked first
ALWAYS = {
    "previousreserveamountbalance": "reserve",
    "currentreserveamount": "reserve",
    "faileddisbursement": "payout_failed",
    "successfulcharge": "topup",
    # a settlement before was below zero; with a charge of our card both rows stand in the next one
    "repaymentofnegativeamazonbalance": "carried",
    "amazoncapitalservices": "advance",
    "subscriptionfee": "subscription",
    "shippinglabelpurchase": "shipping_label",
    "shippingservices": "shipping_label",
    "shippingservicesrefund": "shipping_label",
    "storagefee": "fulfilment",
    "storagerenewalbilling": "fulfilment",
    "disposalcomplete": "fulfilment",
    "removalcomplete": "fulfilment",
    "manualprocessingfee": "fulfilment",
    "lowinventorylevelfee": "fulfilment",
    "shippingchargeback": "fulfilment",
    "giftwrapchargeback": "fulfilment",
    "multichannelfulfillmentbrandneutralboxfee": "fulfilment",
    "commission": "commission",
    "refundcommission": "commission",
    "variableclosingfee": "commission",
    "fixedclosingfee": "commission",
    "digitalservicesfee": "commission",
    "salestaxservicefee": "commission",
    "shippinghb": "commission",
    "giftwrapcommission": "commission",
    "couponredemptionfee": "advertising",
    "vineenrollmentfee": "advertising",
    "refundreimbursal": "reimbursement",
    "manualprocessingfeereimbursement": "reimbursement",
    "reversalreimbursement": "reimbursement",
    "compensatedclawback": "reimbursement",
    "freereplacementrefunditems": "reimbursement",
    "cserroritems": "reimbursement",
    "missingfrominbound": "reimbursement",
    "missingfrominboundclawback": "reimbursement",
    "balanceadjustment": "adjustment",
    "nonsubscriptionfeeadj": "adjustment",
}
PREFIXES = (
    ("marketplacefacilitator", "tax"),
    ("lowvaluegoods", "tax"),
    ("tcs", "tax"),
    ("tdssection", "tax"),
    ("fbainventoryreimbursement", "reimbursement"),
    ("warehousedamage", "reimbursement"),
    ("warehouselost", "reimbursement"),
    ("multichannelorder", "reimbursement"),
    ("removalorder", "reimbursement"),
    ("incorrectfees", "reimbursement"),
    ("lightningdealfee", "advertising"),
    ("fba", "fulfilment"),
)
GROUPS = {
    "costofadvertising": "advertising",
    "couponredemptionfee": "advertising",
    "fbainventoryreimbursement": "reimbursement",
    "itemwithheldtax": "tax",
}
UNKNOWN = "unknown"


@lru_cache(maxsize=4096)
def type_of(transaction: str, group: str, description: str, *, seller_tax: bool) -> str:
    """The type of an amount by its three words. seller_tax: we owe the tax on this marketplace."""
    words, kind = _letters(description), _letters(group)
    moved = MOVED.get(_letters(transaction), UNKNOWN)
    priced = kind in ("itemprice", "promotion")
    if (priced or kind == "itemfees") and words in PRICES:
        return moved
    if priced and words in TAXES:
        return moved if seller_tax else "tax"
    found = _named(words) or GROUPS.get(kind, "")
    if found == "tax" and seller_tax and moved != UNKNOWN:
        return moved
    if not found and not priced:
        found = "tax" if words in TAXES else _named(_letters(transaction))
    return found or UNKNOWN


def _named(words: str) -> str:
    if words in ALWAYS:
        return ALWAYS[words]
    return next((type_ for start, type_ in PREFIXES if words.startswith(start)), "")


def _letters(words: str) -> str:
    return "".join(filter(str.isalnum, words.lower()))
