"""Valued facts: what finance books. Only these (and till sales) meet a posting rule.

Measures live in collections: `lines` carry list and discount, `taxes` carry tax, `tenders` carry
amount, `rows` carry amount. The header value of a measure is the sum of its collection.
Derived: net = list - discount; rounding = tendered - net - tax.
"""

from __future__ import annotations

import msgspec

from tillbridge.canonical.fact import Fact


class ValuedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Value of a step on one line, minor units without tax, signed."""

    kind: str
    list: int
    discount: int = 0
    department: str = ""
    promotion: str = ""
    card: str = ""
    line: str = ""
    direction: str = "sale"


class ValuedTax(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tax of a step, minor units, signed."""

    jurisdiction: str
    tax: int
    collector: str = "seller"
    code: str = ""


class ValuedTender(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money of a step by tender, minor units, signed."""

    tender: str
    amount: int
    kind: str = "card"
    issuer: str = "own"
    card: str = ""


class ValuedRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """An amount of a closed kind (a fee, a transfer price, a cost), minor units, signed."""

    kind: str
    amount: int
    item: str = ""


class ValuedClaim(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step of a dispute, minor units, signed: kind is one of DISPUTE_STEPS."""

    kind: str
    amount: int
    tender: str
    dispute: str


# held: taken back by the provider. won, lost: how that was decided. fee: of the provider.
DISPUTE_STEPS = ("held", "won", "lost", "fee")


class Valued(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """What all valued facts of an order carry.

    order: the open item they move (the order's key). channel, location: for dimensions and rules.
    gl: filled by posting from the workspace, not here.
    """

    currency: str
    order: str
    channel: str = ""
    location: str = ""


class DepositReceived(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """Money came in (or, negative, was corrected) for an order before it is earned."""

    tenders: tuple[ValuedTender, ...]


class SaleRecognised(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an order was earned (shipped, collected, delivered: by policy)."""

    lines: tuple[ValuedLine, ...]
    taxes: tuple[ValuedTax, ...] = ()


class SaleReversed(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """A part of what was earned is taken back (a return, a goodwill refund).

    Amounts are positive: the reversal's direction is in the rule.
    """

    lines: tuple[ValuedLine, ...]
    taxes: tuple[ValuedTax, ...] = ()


class RefundPaid(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """Money went back to the buyer, by tender; amounts positive."""

    tenders: tuple[ValuedTender, ...]


class DisputeMoved(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """Money of a disputed payment was withheld, came back or is lost; amounts positive."""

    claims: tuple[ValuedClaim, ...]


class TransferPriced(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """Goods of `entities.fulfilling` served an order of another entity: what is due for them, more
    (or, negative, less) than was told before. rows: of kind `transfer_price`. rate_ppm: share of
    the net price, parts per million; policy: `file:line` that says so, "" = none does any more.
    """

    rows: tuple[ValuedRow, ...]
    rate_ppm: int = 0
    policy: str = ""


class ReturnRecharged(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """A store of another entity took goods back for the seller and paid the buyer: the seller owes
    it what it paid, and what the till booked as a return of its own is taken out of its books.

    `entities.fulfilling` is the store's. Lines and taxes as the till told them; amounts positive.
    """

    lines: tuple[ValuedLine, ...]
    taxes: tuple[ValuedTax, ...] = ()


class ExpectedReturns(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a department is expected back, minor units, signed: more (or less) than was told.

    refund: without tax. cost: of the goods, where the hub values stock. rate_ppm: by which rate.
    """

    department: str
    refund: int
    cost: int = 0
    rate_ppm: int = 0


class ReturnsExpected(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """At the end of a month so much of a channel's sales is expected to come back; less what was
    told before. version: of the reckoning; policy: `file:line` of the rates.
    """

    currency: str
    channel: str
    period: str
    version: str
    rows: tuple[ExpectedReturns, ...]
    policy: str = ""


# deposit: what we owe a buyer of an order. receivable: what a buyer owes us on his account
WRITTEN_OFF_KINDS = ("deposit", "receivable")


class OpenItemWrittenOff(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A small amount that stayed open is given up, as two persons decided.

    item: the open item (an order, a buyer). kind: one of WRITTEN_OFF_KINDS. amount: minor units,
    positive is what was owed in the sense of its kind. words, by: why, and who proposed it.
    """

    currency: str
    kind: str
    item: str
    amount: int
    words: str
    by: str


class CountedTender(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tender of a till's day, minor units: what was counted, what its transactions come to, and
    by how much the two differ more (or, negative, less) than was valued before.
    """

    tender: str
    kind: str
    counted: int
    expected: int
    difference: int


class TillCounted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The count of a till's day against its transactions, as far as they are known.

    Derived and told again whenever they change: version counts up from 1, each one carries only
    what the ones before did not.
    """

    location: str
    till: str
    currency: str
    version: int
    rows: tuple[CountedTender, ...]


class EntryPosted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the money book that must reach the ERP as (part of) a journal.

    Only emitted where the workspace says gl = "journals" for entity and flow, or where no document
    of the ERP books the fact and the entity says payments = "journals".
    lines: rows with kind = account, amount = signed functional minor units (debit positive),
    item = open item. flow: `web`, `stores` or `policy`. location/channel: where it belongs. place:
    what its day is summed up by: the store, the channel, the account of a settlement.
    """

    entry: str
    entity: str
    flow: str
    currency: str
    lines: tuple[ValuedRow, ...]
    channel: str = ""
    location: str = ""
    place: str = ""
