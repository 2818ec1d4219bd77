"""A day at the tills of the example retailer's stores: receipts that add up to the cent.

One till per store; its sequence numbers run on without a gap over everything it does: sign-on, cash
float, a training sale, sales in cash, by card and by gift card, a receipt with a voided line, a
sale voided afterwards, a return, the count at closing and sign-off. Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from tillbridge.connectors.sandbox.assortment import (
    PRODUCTS,
    STORE_LEVIES,
    Levy,
    Location,
    Product,
)
from tillbridge.connectors.sandbox.dice import Dice
from tillbridge.connectors.sandbox.shop_orders import tax_of

FLOAT = 20000
OPENS_AT = 9
SALES = 15
SHORT = 100  # one dollar is missing in Boston


class TillLine(msgspec.Struct, frozen=True):
    """Pieces of a product at a unit price; voided lines do not count."""

    product: Product
    quantity: int
    price: int
    discount: int = 0
    voided: bool = False

    @property
    def net(self) -> int:
        """What the line adds to the receipt, without tax."""
        return 0 if self.voided else self.quantity * self.price - self.discount


class TillTax(msgspec.Struct, frozen=True):
    """A tax of the receipt on its base."""

    levy: Levy
    base: int
    amount: int


class TillTender(msgspec.Struct, frozen=True):
    """Money handed over: amount given, change back, cash rounding (+ = more than the total)."""

    kind: str
    amount: int
    change: int = 0
    rounding: int = 0
    card: str = ""

    @property
    def net(self) -> int:
        """What stays in the till."""
        return self.amount - self.change


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A sale, a return (direction `return`, amounts positive) or a training sale."""

    sequence: int
    at: datetime
    lines: tuple[TillLine, ...]
    taxes: tuple[TillTax, ...]
    tenders: tuple[TillTender, ...]
    direction: str = "sale"
    training: bool = False
    origin: int = 0

    @property
    def net(self) -> int:
        """Sum of the lines."""
        return sum(line.net for line in self.lines)

    @property
    def tax(self) -> int:
        """Sum of the taxes."""
        return sum(tax.amount for tax in self.taxes)

    @property
    def total(self) -> int:
        """Net and tax."""
        return self.net + self.tax


class TillDay(msgspec.Struct, frozen=True, kw_only=True):
    """One till's day: its receipts, and the sequence numbers of what is no receipt.

    post_void takes the sale `voided` back. short: cash missing at the count.
    """

    location: Location
    day: date
    opened: datetime
    receipts: tuple[Receipt, ...]
    sign_on: int
    loan: int
    post_void: int
    voided: int
    settle: int
    sign_off: int
    closed: datetime
    short: int = 0

    @property
    def counting(self) -> list[tuple[int, Receipt]]:
        """Receipts that count, with their sign: no training, no voided sale."""
        return [
            (-1 if receipt.direction == "return" else 1, receipt)
            for receipt in self.receipts
            if not receipt.training and receipt.sequence != self.voided
        ]

    def taken(self, kind: str) -> int:
        """Money of one tender kind over the day, refunds subtracted; the float is extra."""
        return sum(
            sign * tender.net
            for sign, receipt in self.counting
            for tender in receipt.tenders
            if tender.kind == kind
        )

    @property
    def total(self) -> int:
        """Sum of the receipts that count, with tax."""
        return sum(sign * receipt.total for sign, receipt in self.counting)


def till_day(seed: int, location: Location, day: date, opened: datetime) -> TillDay:
    """The day of a store's till. opened: an instant in the store's zone."""
    return _Till(Dice(seed), location, day, opened).play()


class _Till:
    def __init__(self, dice: Dice, location: Location, day: date, opened: datetime) -> None:
        self._dice = dice
        self._location = location
        self._day = day
        self._opened = opened
        self._now = opened
        self._sequence = dice.between(100, 4000)
        self._receipts: list[Receipt] = []

    def play(self) -> TillDay:
        """Everything in its order."""
        sign_on, loan = self._next(), self._next()
        self._ring(training=True)
        post_void = voided = 0
        for number in range(SALES):
            self._ring(
                tender=("Cash", "CreditDebit", "CreditDebit", "GiftCard", "Cash")[number % 5],
                void_line=number == 4,
                discount=number == 6,
            )
            if number == 8:
                voided = self._receipts[-1].sequence
                post_void = self._next()
        self._give_back()
        settle, sign_off = self._next(), self._next()
        return TillDay(
            location=self._location,
            day=self._day,
            opened=self._opened,
            receipts=tuple(self._receipts),
            sign_on=sign_on,
            loan=loan,
            post_void=post_void,
            voided=voided,
            settle=settle,
            sign_off=sign_off,
            closed=self._now,
            short=SHORT if self._location.code == "store-bos" else 0,
        )

    def _next(self) -> int:
        self._sequence += 1
        self._now += timedelta(seconds=self._dice.between(60, 1500))
        return self._sequence

    def _ring(
        self,
        tender: str = "Cash",
        *,
        training: bool = False,
        void_line: bool = False,
        discount: bool = False,
    ) -> None:
        dice = self._dice
        products = dice.some(PRODUCTS, dice.pick((1, 1, 2, 2, 3)))
        lines = [self._line(product) for product in products]
        if discount:
            first = lines[0]
            off = first.quantity * first.price // 10
            lines[0] = msgspec.structs.replace(first, discount=off)
        if void_line:
            voided = self._line(dice.pick(PRODUCTS))
            lines.append(msgspec.structs.replace(voided, voided=True))
        taxes = self._taxes(lines)
        total = sum(line.net for line in lines) + sum(tax.amount for tax in taxes)
        receipt = Receipt(
            sequence=self._next(),
            at=self._now,
            lines=tuple(lines),
            taxes=taxes,
            tenders=self._pay(tender, total),
            training=training,
        )
        self._receipts.append(receipt)

    def _give_back(self) -> None:
        """One piece of the first sale comes back for cash."""
        sold = next(receipt for receipt in self._receipts if not receipt.training)
        line = msgspec.structs.replace(sold.lines[0], quantity=1, discount=0)
        taxes = self._taxes([line])
        total = line.net + sum(tax.amount for tax in taxes)
        rounding = self._rounding(total)
        receipt = Receipt(
            sequence=self._next(),
            at=self._now,
            lines=(line,),
            taxes=taxes,
            tenders=(TillTender("Cash", total + rounding, rounding=rounding),),
            direction="return",
            origin=sold.sequence,
        )
        self._receipts.append(receipt)

    def _line(self, product: Product) -> TillLine:
        us = self._location.currency == "USD"
        price = product.price if us else product.price_cad
        quantity = 1 if price > 5000 else self._dice.pick((1, 1, 2, 3))
        return TillLine(product, quantity, price)

    def _taxes(self, lines: Sequence[TillLine]) -> tuple[TillTax, ...]:
        taxes = []
        for levy in STORE_LEVIES[self._location.code]:
            base = sum(
                line.net
                for line in lines
                if not line.product.clothing or line.price >= levy.clothing_below
            )
            if base:
                taxes.append(TillTax(levy, base, tax_of(base, levy)))
        return tuple(taxes)

    def _pay(self, kind: str, total: int) -> tuple[TillTender, ...]:
        if kind == "CreditDebit":
            return (TillTender("CreditDebit", total),)
        if kind == "GiftCard":
            card = f"GC{self._dice.below(10**10):010d}"
            part = min(2500, total)
            gift = TillTender("GiftCard", part, card=card)
            return (gift, TillTender("CreditDebit", total - part)) if total > part else (gift,)
        rounding = self._rounding(total)
        due = total + rounding
        given = -(-due // 2000) * 2000  # in twenties
        return (TillTender("Cash", given, change=given - due, rounding=rounding),)

    def _rounding(self, total: int) -> int:
        """Cash in Canada is rounded to five cents; elsewhere it is exact."""
        if self._location.currency != "CAD":
            return 0
        return (total + 2) // 5 * 5 - total
