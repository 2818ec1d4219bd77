"""Amounts and unit prices as Tryton counts them: decimal major units, prices of four decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import msgspec

from tillbridge.atoms import money, quantity
from tillbridge.connectors.tryton.wire import Exact

# Tryton's default `product.price_decimal`: a unit price has at most four decimals.
PRICE_STEP = Decimal("0.0001")


class Priced(msgspec.Struct, frozen=True):
    """A line as quantity x price that Tryton rounds to the hub's amount, with the rest if any.

    text: what stands in front of the description when the quantity could not be kept.
    """

    quantity: Exact
    price: Decimal
    rest: int = 0
    whole: bool = True
    text: str = ""


def amount(minor: int, code: str) -> Decimal:
    """Minor units as Tryton's decimal major units."""
    return Decimal(money.to_text(minor, code))


def priced(thousandths: int, net: int, code: str, digits: int) -> Priced:
    """Split a line's net into quantity and unit price; `rest` minor units stay over.

    A quantity of nothing, or finer than the unit over there, becomes one piece of the whole amount.
    """
    fits = thousandths % 10 ** max(0, 3 - digits) == 0
    if thousandths == 0 or not fits:
        text = f"{quantity.to_text(thousandths)} x " if thousandths else ""
        return Priced(Exact("1"), amount(net, code), whole=False, text=text)
    count = Decimal(quantity.to_text(thousandths))
    price = (amount(net, code) / count).quantize(PRICE_STEP, rounding=ROUND_HALF_UP)
    step = Decimal(1).scaleb(-money.exponent(code))
    made = (price * count).quantize(step, rounding=ROUND_HALF_UP)
    rest = net - money.to_minor(made, code)
    return Priced(Exact(quantity.to_text(thousandths)), price, rest)
