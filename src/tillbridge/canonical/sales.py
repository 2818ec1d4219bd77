"""Store day: till sales, voids, cash movements and the till's own events.

Identity is store + till + business day + sequence. Such records are immutable: a second telling
with other content is a case, never a correction.
"""

from __future__ import annotations

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import TaxLine

DIRECTIONS = ("sale", "return")
# who issued a gift card or credit that is tendered: the selling entity or another one of ours
ISSUERS = ("own", "other")
CASH_KINDS = ("loan", "pickup", "paid_in", "paid_out", "deposit")


class SaleLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a till sale. Amounts exclude tax and are signed: a return is negative.

    kind: as OrderLine. direction: `sale` or `return`. quantity: thousandths, signed like list.
    list - discount + taxes = what the line adds to the receipt total. link: key of the sale or
    order that this line returns from, "" = the receipt says it for all of them.
    """

    line: str
    kind: str
    direction: str
    product: str
    quantity: int
    list: int
    discount: int = 0
    taxes: tuple[TaxLine, ...] = ()
    unit: str = "EA"
    department: str = ""
    promotion: str = ""
    card: str = ""
    title: str = ""
    link: str = ""

    @property
    def net(self) -> int:
        """List less discount, minor units without tax, signed."""
        return self.list - self.discount


class SaleTender(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money taken (positive) or given (negative) by one tender line, change already netted.

    tender: our tender code. kind: closed list TENDER_KINDS. issuer: `own` or `other` entity's
    gift card or credit. card: gift card or credit id (never a payment card number).
    """

    tender: str
    kind: str
    amount: int
    issuer: str = "own"
    card: str = ""


class SaleRung(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A till sale or return: goods, taxes and tenders at once; valued from birth.

    Sum of tenders = sum of lines' net + taxes + receipt-level taxes + cash rounding; the rounding
    is tendered - net - tax and is visible as a measure of its own.
    location: our store code. channel: our channel code of the store. total: the log's own grand
    total in minor units, already proven equal to lines + taxes.
    links: keys of sales or orders it returns from.
    """

    location: str
    channel: str
    till: str
    sequence: str
    currency: str
    total: int
    lines: tuple[SaleLine, ...]
    tenders: tuple[SaleTender, ...]
    taxes: tuple[TaxLine, ...] = ()
    party: str = ""
    receipt: str = ""
    links: tuple[str, ...] = ()
    offline: bool = False


class SaleVoided(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A finished sale was voided afterwards by another till transaction (post-void).

    voided: aggregate key of the sale it takes back whole.
    """

    location: str
    till: str
    sequence: str
    voided: str


class TillNoted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A till transaction that books nothing but consumed a sequence number.

    kind: sign_on, sign_off, open, no_sale, cancelled, training, suspended, control, inventory.
    """

    location: str
    till: str
    sequence: str
    kind: str


class CashMoved(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Cash put into or taken out of a till: loan, pickup, paid_in, paid_out, deposit.

    amount: minor units, positive into the till, negative out of it.
    """

    location: str
    till: str
    sequence: str
    kind: str
    tender: str
    amount: int
    currency: str
    reason: str = ""


class TenderCount(msgspec.Struct, frozen=True, omit_defaults=True):
    """Counted against expected amount of one tender, minor units; None when not stated."""

    tender: str
    counted: int | None = None
    expected: int | None = None


class TillClosed(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A till or store day was closed and its tenders counted."""

    location: str
    till: str
    sequence: str
    currency: str
    counts: tuple[TenderCount, ...] = ()
