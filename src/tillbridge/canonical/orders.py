"""Orders of web shops, marketplaces and call centres, told as whole versions.

A channel tells an order as a document that changes; each telling is one fact with the whole order
in it and the channel's own version (its `updated_at`), so arrival order does not matter: the
highest version wins, and orchestration computes the signed difference.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.canonical.fact import Fact

# goods: stocked things; gift_card: sold value, a liability; the others are amounts without stock.
LINE_KINDS = ("goods", "service", "shipping", "gift_card", "tip", "fee", "duty", "rounding")
COLLECTORS = ("seller", "marketplace")
# told: as the source says; missing: it names none; included: amounts hold a tax it does not name;
# calculated: worked out by a tax service since.
TAX_TOLD = ("told", "missing", "included", "calculated")


class TaxLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One tax on one line, as the channel computed it; never recomputed here.

    code: our tax code. jurisdiction: who levies it, for the tax payable account.
    rate_ppm: rate in parts per million (8.25 % = 82500), None when the source gives none.
    base, amount: minor units; collector: who remits it (`seller` or `marketplace`).
    """

    code: str
    jurisdiction: str
    amount: int
    base: int = 0
    rate_ppm: int | None = None
    collector: str = "seller"


class OrderLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of an order; amounts are for the whole line and exclude tax.

    line: identity of the line in the channel. product: our product code ("" for amounts without
    goods). quantity: thousandths of `unit`. list: before discounts. discount: all allocated
    discounts, positive. What the buyer pays for the line = list - discount + sum of taxes.
    """

    line: str
    kind: str
    product: str
    quantity: int
    list: int
    discount: int = 0
    taxes: tuple[TaxLine, ...] = ()
    unit: str = "EA"
    department: str = ""
    promotion: str = ""
    title: str = ""
    ships: bool = True
    card: str = ""

    @property
    def net(self) -> int:
        """List less discount, minor units without tax."""
        return self.list - self.discount

    @property
    def tax(self) -> int:
        """Sum of the line's taxes in minor units."""
        return sum(tax.amount for tax in self.taxes)

    @property
    def gross(self) -> int:
        """What the buyer pays for the line, minor units with tax."""
        return self.list - self.discount + self.tax


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where goods go, as far as tax and sourcing need it; the address itself is in the vault."""

    country: str = ""
    region: str = ""
    postcode_area: str = ""


class TillPayment(msgspec.Struct, frozen=True):
    """Money a till took for an order and has booked with its receipt: tender, minor units."""

    tender: str
    amount: int


class Presentment(msgspec.Struct, frozen=True):
    """What the buyer saw where that was another currency than the order's: minor units of
    `currency`, total with tax and the tax in it. Evidence beside the order; nothing is added to it.
    """

    currency: str
    total: int
    tax: int


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of an order, whole.

    number: what people call it ("#1001"). channel: our channel code. version: sortable text, the
    channel's own update instant in UTC (ISO 8601). party: party id of the buyer or "".
    total: what the buyer owes, minor units with tax; the lines' gross sums to it exactly (a
    `rounding` line holds what a channel's header and lines differ by within tolerance).
    paid_stated: cumulative amount the channel says is paid, None when it does not say.
    tenders: our tender codes of the gateways named, first one carries what has no transaction.
    reservation: key of stock held before the order was placed, which it takes over.
    location: where it was sold. collect_at: the one place where the buyer will collect the goods.
    ship_from: the place the seller picked to serve it, asked before all others.
    sale: key of the till sale it was rung up with. till_paid: what that receipt took for it.
    replaces: key of the order that was cancelled for it, whose goods and money it takes over;
    `paid_stated` then counts that money too.
    payment_days: sold on account, each invoice due so many days after it; None = paid when placed.
    presentment: the buyer's own amounts, None where they are the order's.
    tax: how its tax is known (TAX_TOLD); `missing`: the total is without tax, and nothing of the
    order goes out before a tax service has answered.
    """

    number: str
    channel: str
    currency: str
    version: str
    placed_at: datetime
    total: int
    lines: tuple[OrderLine, ...]
    party: str = ""
    ship_to: Place = Place()
    tax_inclusive: bool = False
    paid_stated: int | None = None
    tenders: tuple[str, ...] = ()
    location: str = ""
    collect_at: str = ""
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    test: bool = False
    reservation: str = ""
    ship_from: str = ""
    sale: str = ""
    till_paid: tuple[TillPayment, ...] = ()
    replaces: str = ""
    tax: str = "told"
    payment_days: int | None = None
    presentment: Presentment | None = None


class OrderPlaced(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A buyer placed an order; carries its first known version."""

    order: Order


class OrderChanged(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The channel told a version of an order (paid, edited, address changed, ...)."""

    order: Order


class OrderCancelled(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The channel told that an order is cancelled; carries the version that says so."""

    order: Order


class OrderReplaced(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Told to an order: another one (`by`, its key) was made in its place."""

    by: str


class HandedOver(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money of one tender, minor units; card: the number of the gift card or credit, "" = none."""

    tender: str
    amount: int
    card: str = ""


class DepositHandedOver(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Told to an order by the one it replaces (`origin`): all money that goes over to it. version:
    rises per origin; the newest counts whole. references: of the transactions it came by, so that
    one the new order is told as well counts once.
    """

    origin: str
    version: int
    currency: str
    tenders: tuple[HandedOver, ...] = ()
    references: tuple[str, ...] = ()
