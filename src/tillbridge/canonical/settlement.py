"""Settlement: what providers say they keep, owe and send, and what the bank says it got.

A file of a provider holds up to a million lines, so a line is no record of the log: lines stand in
a table of their own, and the log tells one fact per payout (and bank statement) with its control
totals and a hash over its lines. Amounts are whole minor units; what the provider owes us more is
positive.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from tillbridge.canonical.fact import Fact

# Money that the flow books by order or till (clearing against deposits, disputes): a settlement
# line of these types is a second telling of it, and is held against the book.
MOVEMENT_TYPES = ("sale", "refund", "refund_failed", "chargeback", "chargeback_reversed")
# What only the settlement tells: booked by the line itself, one kind each.
COST_TYPES = (
    "fee",  # of processing a payment, dispute or refund, scheme and interchange fees
    "commission",  # of a marketplace on a sale
    "fulfilment",  # of a marketplace that stores, picks or ships for us
    "shipping_label",
    "advertising",
    "subscription",
    "tax",  # on fees, or collected and withheld again by a marketplace
    "reserve",  # withheld for later (negative), released (positive)
    "advance",  # money lent by the provider (positive), paid back (negative)
    "reimbursement",  # the provider pays for what it lost or damaged
    "adjustment",  # the provider's own correction, of a kind it names
    "topup",  # we sent the provider money (positive) or it debited our bank for a debt
    "transfer",  # to or from another account of ours at the same provider
    "fx",  # converted at the provider
    "rounding",
)
# Not ours to book: the payout itself, one that came back, a balance carried between settlements.
SILENT_TYPES = ("payout", "payout_failed", "carried")
UNKNOWN = "unknown"
"""A row type nobody has given a meaning: kept, counted, held until a person types it."""
LINE_TYPES = (*MOVEMENT_TYPES, *COST_TYPES, *SILENT_TYPES, UNKNOWN)

PAYOUT_STATES = ("scheduled", "in_transit", "paid", "failed", "canceled")
# What an entry of a payout is made of. `fx_realised`: money of another currency came at another
# rate than it is booked at. `paid` goes to the bank, `returned` came back from there, `banked` is
# on its statement, less a `bank_charge`; `difference` was accepted by a person.
SETTLED_KINDS = (
    *COST_TYPES, "fx_realised", "chargeback_loss", "difference", "paid", "returned", "banked",
    "bank_charge",
)  # fmt: skip
RESIDUAL_KINDS = (*COST_TYPES, "chargeback_loss", "difference", "bank_charge")


class SettlementLine(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One row of a settlement as it was told.

    line: the provider's id of the row, unique in its account; "" where it gives none (the place in
    the file names it then). type: one of LINE_TYPES; told: the provider's own words for it.
    gross, fee, net: minor units of `currency`, signed as the provider's debt to us; fee is positive
    when it is kept from us; net = gross - fee. payout: the provider's id of the payout it is part
    of, "" while it is part of none. reference: the provider's id of the money movement (capture,
    refund, dispute); parent: what it follows, or the payment intent; order: the order as its
    channel names it. tender: our tender code, "" = the connection's own.
    presented, presented_currency, rate: what the buyer saw, where it is another currency.
    n: number of the line (or object) in the file, from 1. at: when it happened, None = not told.
    extra: further columns as a JSON object.
    """

    line: str
    type: str
    told: str
    gross: int
    net: int
    currency: str
    n: int
    at: datetime | None = None
    fee: int = 0
    payout: str = ""
    reference: str = ""
    parent: str = ""
    order: str = ""
    tender: str = ""
    presented: int | None = None
    presented_currency: str = ""
    rate: str = ""
    extra: str = ""


class PayoutTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The head of a payout: what the provider says it sends, takes or carries forward.

    amount: minor units, negative when it debits our bank; None = this telling has no total.
    state: one of PAYOUT_STATES, "" = not told. paid_on: the day it is due at the bank. itemised:
    the provider lists its lines (Stripe lists those of automatic payouts only).
    bank_reference: what the bank's line will hold. lines: how many rows it claims to have.
    """

    payout: str
    currency: str
    amount: int | None = None
    state: str = ""
    paid_on: date | None = None
    itemised: bool = True
    bank_reference: str = ""
    lines: int | None = None
    reason: str = ""
    n: int = 0


class BankLine(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One booked line of a bank statement.

    line: the bank's own reference, "" where it gives none. amount: minor units, credit positive.
    reference: end-to-end or customer reference. text: everything the bank says about it.
    told: its transaction code.
    """

    line: str
    statement: str
    amount: int
    currency: str
    booked_on: date
    n: int
    value_on: date | None = None
    reference: str = ""
    text: str = ""
    told: str = ""
    reversal: bool = False


class StatementTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The head of a bank statement. statement: the bank's id of it, unique per account.

    account: IBAN or number. opening, closing: minor units, None = it has no such balance. lines,
    credits, debits: its own control totals (debits positive), None = it has none.
    """

    statement: str
    account: str
    currency: str
    opening: int | None = None
    closing: int | None = None
    lines: int | None = None
    credits: int | None = None
    debits: int | None = None
    first_day: date | None = None
    last_day: date | None = None
    copy: bool = False
    n: int = 0


class FileTotal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A control total over a whole file. lines: rows; net: minor units; None = not told."""

    lines: int | None = None
    net: int | None = None
    currency: str = ""


class Broken(msgspec.Struct, frozen=True):
    """A piece of a file that cannot be believed, in words for a person. n: its line, 0 = none."""

    n: int
    words: str


Told = SettlementLine | PayoutTold | BankLine | StatementTold | FileTotal | Broken


class TypeSum(msgspec.Struct, frozen=True, omit_defaults=True):
    """Lines of one type in a telling of a payout, minor units."""

    type: str
    lines: int
    gross: int
    fee: int = 0


class PayoutReported(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A file told of a payout: its head, its lines, or both. One fact per telling and payout.

    account: the connection. amount: as in PayoutTold, None = this telling has no total.
    sums: control totals of its lines; hash: over the lines, the same in whatever order they stand.
    file: SHA-256 of the file, as its claim has it.
    """

    account: str
    payout: str
    currency: str
    amount: int | None = None
    state: str = ""
    paid_on: date | None = None
    itemised: bool = True
    bank_reference: str = ""
    lines: int = 0
    sums: tuple[TypeSum, ...] = ()
    hash: str = ""
    file: str = ""


class PayoutFailed(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A payout did not arrive, or was called back: the provider owes its amount again."""

    account: str
    payout: str
    currency: str
    amount: int
    reason: str = ""


class BankStatementReported(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A bank statement was told; balances in minor units, None = it has none.

    net: sum of its lines. hash: over the lines. file: SHA-256 of the file.
    """

    account: str
    statement: str
    currency: str
    opening: int | None = None
    closing: int | None = None
    lines: int = 0
    net: int = 0
    hash: str = ""
    file: str = ""


class ResidualAccepted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A person said what a difference of a payout is; booked as that, never plugged.

    amount: minor units, signed as the provider's debt to us. kind: one of RESIDUAL_KINDS. lines:
    provider's ids of the lines it explains, () = the payout as a whole. by: who said it.
    """

    account: str
    payout: str
    currency: str
    kind: str
    amount: int
    words: str
    by: str
    tender: str = ""
    lines: tuple[str, ...] = ()


class SettledRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the lines of one kind and tender take out of the provider's debt to us, minor units:
    a fee or a payment to the bank is positive, a release or a reimbursement negative.
    """

    kind: str
    amount: int
    tender: str
    bank: str = ""
    lines: int = 0


class SettlementMatched(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A payout was worked out: what was kept from us, what was sent, what the bank got.

    Told again whenever it changes: version counts up from 1, each one carries only what the ones
    before did not. account: the connection; payout: the provider's id.
    """

    account: str
    payout: str
    currency: str
    version: int
    rows: tuple[SettledRow, ...]
    channel: str = ""
