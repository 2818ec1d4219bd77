"""Store day: till sales, voids, cash movements and the till's own events.

Identity is store + till + business day + sequence. Such records are immutable: a second telling
with other content is a case, never a correction.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tillbridge.atoms.ids import key_of
from tillbridge.atoms.money import split
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import Place, TaxLine

DIRECTIONS = ("sale", "return")
# who issued a gift card or credit that is tendered: the selling entity or another one of ours
ISSUERS = ("own", "other")
# how goods that are paid at a till but not handed over there reach their buyer
FULFILS = ("ship", "collect")
NOWHERE = Place()
"""Where goods go that are handed over; the one object, so that it takes no room in a record."""
NOTED_KINDS = (
    "sign_on",
    "sign_off",
    "open",
    "no_sale",
    "cancelled",
    "training",
    "suspended",
    "control",
    "inventory",
)
CASH_KINDS = ("loan", "pickup", "paid_in", "paid_out", "deposit")


class SaleLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a till sale. Amounts exclude tax and are signed: a return is negative.

    kind: as OrderLine. direction: `sale` or `return`. quantity: thousandths, signed like list.
    list - discount + taxes = what the line adds to the receipt total. link: key of the sale or
    order that this line returns from, "" = the receipt says it for all of them.

    fulfil: "" = handed over at the till; `ship` or `collect` = paid here and sent from elsewhere or
    collected later: part of an order, not earned yet. place: our location that ships it or where it
    is collected, "" = not said. order, order_line: of a return that gives up goods which were never
    handed over, the order and line they belong to.
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
    fulfil: str = ""
    place: str = ""
    order: str = ""
    order_line: str = ""

    @property
    def net(self) -> int:
        """List less discount, minor units without tax, signed."""
        return self.list - self.discount

    @property
    def gross(self) -> int:
        """What the line adds to the receipt, minor units with its taxes, signed."""
        return self.list - self.discount + sum(tax.amount for tax in self.taxes)


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
    links: keys of sales or orders it returns from. ship_to: where ordered goods go.
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
    ship_to: Place = NOWHERE


def order_of(sale: str, channel: str, number: int = 1) -> str:
    """Key of the order a receipt makes of goods that do not leave with the buyer.

    sale: key of the till sale. number: 1 for the first order of the receipt, 2 for the next, ...
    """
    receipt = sale.split("/", 2)[-1]
    key = f"{key_of('order', channel)}/{receipt}"
    return key if number == 1 else f"{key}/{number}"


def ordered(sale: SaleRung) -> dict[str, tuple[SaleLine, ...]]:
    """The lines of a receipt that do not leave with the buyer, by the key of their order.

    What goes the same way from or to the same place is one order. Given-up goods stand under the
    order they belong to.
    """
    ways: dict[tuple[str, str], int] = {}
    found: dict[str, list[SaleLine]] = {}
    for line in sale.lines:
        if line.fulfil:
            way = (line.fulfil, line.place)
            number = 0 if line.order else ways.setdefault(way, len(ways) + 1)
            key = line.order or order_of(sale.key, sale.channel or sale.source, number)
            found.setdefault(key, []).append(line)
    return {key: tuple(lines) for key, lines in found.items()}


def with_receipt_taxes(sale: SaleRung) -> tuple[SaleLine, ...]:
    """The lines of a receipt with their part of the taxes that only the receipt tells.

    By its rate where it tells one, so that goods given in exchange do not hide what was given back;
    else as the lines stand to each other. What rounding leaves lies on the largest line.
    """
    lines = list(sale.lines)
    open_ = [n for n, line in enumerate(lines) if not line.taxes and line.net]
    for tax in sale.taxes if open_ else ():
        nets = [lines[n].net for n in open_]
        whole, amount = sum(nets), tax.amount
        if tax.rate_ppm and any(net < 0 for net in nets) and any(net > 0 for net in nets):
            shares = [_nearest(net * tax.rate_ppm, 1_000_000) for net in nets]
        elif whole:
            shares = [_nearest(net * amount, whole) for net in nets]
        else:
            continue
        largest = max(range(len(nets)), key=lambda place: abs(nets[place]))
        shares[largest] += amount - sum(shares)
        for n, share in zip(open_, shares, strict=True):
            mine = msgspec.structs.replace(tax, amount=share, base=lines[n].net)
            taxes = (*lines[n].taxes, mine) if share else lines[n].taxes
            lines[n] = msgspec.structs.replace(lines[n], taxes=taxes)
    return tuple(lines)


def _nearest(amount: int, by: int) -> int:
    """A quotient to the nearest whole, halves away from zero."""
    sign = -1 if (amount < 0) != (by < 0) else 1
    return sign * ((2 * abs(amount) + abs(by)) // (2 * abs(by)))


def parted(
    lines: Sequence[SaleLine], taxes: Sequence[TaxLine]
) -> tuple[tuple[SaleLine, ...], tuple[TaxLine, ...]]:
    """A receipt ready to be parted into what is handed over and what becomes an order.

    Freight belongs to the goods that are shipped. A tax that only the receipt tells is brought down
    to the lines by what they cost, no cent lost. Gives lines and the taxes that stay with the
    receipt; both as they are where all of it is handed over.
    """
    if not any(line.fulfil for line in lines):
        return tuple(lines), tuple(taxes)
    lines = _with_freight(lines)
    told: list[list[TaxLine]] = [list(line.taxes) for line in lines]
    left = []
    for tax in taxes:
        sign = -1 if tax.amount < 0 else 1
        weights = [max(sign * line.net, 0) for line in lines]
        if not any(weights):
            left.append(tax)
            continue
        amounts, bases = split(tax.amount, weights), split(tax.base, weights)
        for mine, amount, base in zip(told, amounts, bases, strict=True):
            if amount:
                mine.append(msgspec.structs.replace(tax, amount=amount, base=base))
    shared = [
        msgspec.structs.replace(line, taxes=tuple(mine))
        for line, mine in zip(lines, told, strict=True)
    ]
    return tuple(shared), tuple(left)


def _with_freight(lines: Sequence[SaleLine]) -> Sequence[SaleLine]:
    sent = next((one for one in lines if one.fulfil == "ship" and one.direction == "sale"), None)
    if sent is None:
        return lines
    return [
        msgspec.structs.replace(line, fulfil=sent.fulfil, place=sent.place)
        if line.kind == "shipping" and line.direction == "sale" and not line.fulfil
        else line
        for line in lines
    ]


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

    kind: closed list NOTED_KINDS.
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
