"""Orders of the example web shop as the shop keeps them: amounts in cents, taxes as it computed.

An order is what was bought and never changes here; what happens to it afterwards (paid, shipped,
refunded, cancelled) is its history: a tuple of later states, each with the instant it began.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tillbridge.atoms.money import split
from tillbridge.connectors.sandbox.assortment import (
    BY_CODE,
    DESTINATIONS,
    GIFT_CARD_CODE,
    GIFT_CARD_SKU,
    Destination,
    Levy,
    Product,
)
from tillbridge.connectors.sandbox.dice import Dice

FIRST_NAMES = ("Avery", "Blake", "Casey", "Devon", "Emery", "Finley", "Harper", "Jordan", "Quinn")
LAST_NAMES = ("Abbott", "Bergman", "Castillo", "Duval", "Eriksen", "Farrell", "Goodwin", "Hale")
STREETS = ("Maple Street", "Harbor Road", "Mill Lane", "Prospect Avenue", "Chestnut Street")


class TaxCharged(msgspec.Struct, frozen=True):
    """A tax as charged: title, rate in ppm, amount in cents."""

    title: str
    rate_ppm: int
    amount: int


class BoughtLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as bought; price is per piece, discount for the whole line, cents."""

    id: int
    product: str
    sku: str
    title: str
    variant: str
    quantity: int
    price: int
    discount: int = 0
    taxes: tuple[TaxCharged, ...] = ()
    grams: int = 0
    gift_card: bool = False

    @property
    def net(self) -> int:
        """What the line costs after discounts, without tax."""
        return self.quantity * self.price - self.discount

    @property
    def tax(self) -> int:
        """Sum of its taxes."""
        return sum(tax.amount for tax in self.taxes)


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """A made-up person."""

    id: int
    first_name: str
    last_name: str
    street: str
    destination: Destination

    @property
    def email(self) -> str:
        """An address that reaches nobody."""
        return f"{self.first_name}.{self.last_name}.{self.id % 1000}@example.com".lower()


class ShopOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as placed. shipping in cents before shipping_taxes; code: discount code or ""."""

    id: int
    number: int
    placed_at: datetime
    buyer: Buyer
    lines: tuple[BoughtLine, ...]
    shipping: int = 0
    shipping_taxes: tuple[TaxCharged, ...] = ()
    code: str = ""
    code_percent: int = 0
    gateway: str = "shopify_payments"
    currency: str = "USD"

    @property
    def discount(self) -> int:
        """All discounts."""
        return sum(line.discount for line in self.lines)

    @property
    def subtotal(self) -> int:
        """Lines after discounts, without shipping and tax."""
        return sum(line.net for line in self.lines)

    @property
    def shipping_tax(self) -> int:
        """Tax on shipping."""
        return sum(tax.amount for tax in self.shipping_taxes)

    @property
    def tax(self) -> int:
        """All taxes."""
        return sum(line.tax for line in self.lines) + self.shipping_tax

    @property
    def total(self) -> int:
        """What the buyer pays."""
        return self.subtotal + self.shipping + self.tax


class Shipped(msgspec.Struct, frozen=True, kw_only=True):
    """A fulfilment: which lines (id, pieces) left which place (the shop's location id). status,
    display: the shop's words for it.
    """

    id: int
    at: datetime
    location: str
    lines: tuple[tuple[int, int], ...]
    tracking: str
    company: str = "Example Parcel"
    status: str = "SUCCESS"
    display: str = "FULFILLED"
    updated: datetime | None = None


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a refund: net and taxes given back, cents."""

    id: int
    line: int
    quantity: int
    net: int
    tax: int
    restock: str
    location: str


class RefundMade(msgspec.Struct, frozen=True, kw_only=True):
    """A refund: lines, shipping given back, and the money that moved, None = what that is worth."""

    id: int
    at: datetime
    lines: tuple[Returned, ...]
    transaction: int
    note: str
    shipping: int = 0
    shipping_tax: int = 0
    money: int | None = None

    @property
    def amount(self) -> int:
        """Money given back."""
        return self.worth if self.money is None else self.money

    @property
    def worth(self) -> int:
        """What lines and shipping come to."""
        return sum(line.net + line.tax for line in self.lines) + self.shipping + self.shipping_tax


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What an order has come to at an instant."""

    at: datetime
    paid: bool = False
    shipped: tuple[Shipped, ...] = ()
    refunds: tuple[RefundMade, ...] = ()
    cancelled_at: datetime | None = None

    @property
    def refunded(self) -> int:
        """Money given back so far."""
        return sum(refund.amount for refund in self.refunds)


def tax_of(net: int, levy: Levy) -> int:
    """Tax on an amount, half up to the cent."""
    return (net * levy.rate_ppm + 500_000) // 1_000_000


class OrderDesk:
    """Writes up orders by dice; ids and numbers rise."""

    def __init__(self, dice: Dice, first_id: int) -> None:
        self._dice = dice
        self._next_id = first_id
        self._number = 1000

    def new_id(self) -> int:
        """A shop id nobody has yet."""
        self._next_id += self._dice.between(1, 40) * 32
        return self._next_id

    def place(
        self,
        placed_at: datetime,
        products: Sequence[str],
        *,
        percent: int = 0,
        gateway: str = "shopify_payments",
        gift_card: bool = False,
    ) -> ShopOrder:
        """An order of some products in small quantities, priced and taxed."""
        self._number += 1
        buyer = self._buyer()
        chosen = [(BY_CODE[code], self._quantity(BY_CODE[code])) for code in products]
        discounts = _spread([p.price * quantity for p, quantity in chosen], percent)
        lines = [
            self._line(product, quantity, discount, buyer.destination)
            for (product, quantity), discount in zip(chosen, discounts, strict=True)
        ]
        if gift_card:
            lines.append(self._gift_card())
        goods = sum(line.net for line in lines if not line.gift_card)
        shipping = 0 if goods >= 15000 else self._dice.pick((595, 795))
        taxed = any(line.taxes for line in lines)
        return ShopOrder(
            id=self.new_id(),
            number=self._number,
            placed_at=placed_at,
            buyer=buyer,
            lines=tuple(lines),
            shipping=shipping,
            shipping_taxes=_taxes(shipping, buyer.destination.levies) if taxed else (),
            code=f"SAVE{percent}" if percent else "",
            code_percent=percent,
            gateway=gateway,
        )

    def _line(
        self, product: Product, quantity: int, discount: int, destination: Destination
    ) -> BoughtLine:
        net = product.price * quantity - discount
        levies = [
            levy
            for levy in destination.levies
            if not product.clothing or product.price >= levy.clothing_below
        ]
        return BoughtLine(
            id=self.new_id(),
            product=product.code,
            sku=product.sku,
            title=product.title,
            variant=product.variant,
            quantity=quantity,
            price=product.price,
            discount=discount,
            taxes=tuple(TaxCharged(v.title, v.rate_ppm, tax_of(net, v)) for v in levies),
            grams=product.grams,
        )

    def _gift_card(self) -> BoughtLine:
        return BoughtLine(
            id=self.new_id(),
            product=GIFT_CARD_CODE,
            sku=GIFT_CARD_SKU,
            title="Gift Card",
            variant="$50",
            quantity=1,
            price=5000,
            gift_card=True,
        )

    def _quantity(self, product: Product) -> int:
        return 1 if product.price > 9000 else self._dice.pick((1, 1, 1, 2, 2, 3))

    def _buyer(self) -> Buyer:
        dice = self._dice
        return Buyer(
            id=7_000_000_000_000 + dice.below(10**9),
            first_name=dice.pick(FIRST_NAMES),
            last_name=dice.pick(LAST_NAMES),
            street=f"{dice.between(1, 480)} {dice.pick(STREETS)}",
            destination=dice.pick(DESTINATIONS),
        )


def _spread(lists: Sequence[int], percent: int) -> list[int]:
    """A discount of some per cent over the lines, allocated to the cent."""
    return split(sum(lists) * percent // 100, lists)


def _taxes(shipping: int, levies: Sequence[Levy]) -> tuple[TaxCharged, ...]:
    if not shipping:
        return ()
    return tuple(
        TaxCharged(levy.title, levy.rate_ppm, tax_of(shipping, levy))
        for levy in levies
        if levy.on_shipping
    )


def cancel_refund(desk: OrderDesk, order: ShopOrder, at: datetime, location: str) -> RefundMade:
    """Everything back: lines restocked as cancelled, shipping, and the whole payment."""
    lines = tuple(
        Returned(
            id=desk.new_id(),
            line=line.id,
            quantity=line.quantity,
            net=line.net,
            tax=line.tax,
            restock="cancel",
            location=location,
        )
        for line in order.lines
    )
    return RefundMade(
        id=desk.new_id(),
        at=at,
        lines=lines,
        transaction=desk.new_id(),
        note="Customer cancelled",
        shipping=order.shipping,
        shipping_tax=order.shipping_tax,
    )


def piece_refund(desk: OrderDesk, order: ShopOrder, at: datetime, location: str) -> RefundMade:
    """One piece of the first line came back to a place and is paid back."""
    line = order.lines[0]
    pieces = [1] * line.quantity
    back = Returned(
        id=desk.new_id(),
        line=line.id,
        quantity=1,
        net=split(line.net, pieces)[0],
        tax=sum(split(tax.amount, pieces)[0] for tax in line.taxes),
        restock="return",
        location=location,
    )
    return RefundMade(
        id=desk.new_id(), at=at, lines=(back,), transaction=desk.new_id(), note="Did not fit"
    )
