"""Amounts as written to minor units of the receipt's currency, noting what had to be rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.contract.wire import WireError

_ONE = Decimal(1)


class Coins:
    """One currency. `inexact` turns true once an amount had more decimals than the currency."""

    __slots__ = ("_places", "currency", "inexact")

    def __init__(self, currency: str) -> None:
        """Raises WireError when there is no such currency."""
        try:
            self._places = exponent(currency)
        except MoneyError as problem:
            raise WireError(str(problem)) from None
        self.currency = currency
        self.inexact = False

    def minor(self, value: Decimal) -> int:
        """Minor units, half away from zero. Tills write up to six decimals ("79.990")."""
        scaled = value.scaleb(self._places)
        whole = int(scaled)
        if scaled == whole:
            return whole
        self.inexact = True
        return int(scaled.quantize(_ONE, rounding=ROUND_HALF_UP))

    def product(self, price: Decimal, quantity: Decimal) -> int:
        """Price times quantity in minor units, rounded as tills do; no amount that was told."""
        scaled = (price * quantity).scaleb(self._places)
        return int(scaled.quantize(_ONE, rounding=ROUND_HALF_UP))
