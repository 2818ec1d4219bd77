"""Money: an integer of minor units with its ISO 4217 currency and its role.

Exponents come from the `iso4217` package (JPY 0, KWD 3). Money of another currency, or of another
role, cannot be added: a missing rate is a case, never 1. Splits lose no cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

import iso4217
import msgspec

ROLES = ("shop", "presentment", "settlement", "functional")


class MoneyError(ValueError):
    """An amount that cannot be believed: unknown currency, too many decimals, mixed currencies."""


@lru_cache(maxsize=512)
def exponent(currency: str) -> int:
    """Number of decimals of an ISO 4217 currency; raises MoneyError when there is no such code."""
    try:
        found = iso4217.Currency(currency)
    except ValueError:
        raise MoneyError(f"{currency!r} is no ISO 4217 currency code") from None
    if found.exponent is None:
        raise MoneyError(f"{currency} has no minor unit, so no amount can be counted in it")
    return int(found.exponent)


def to_minor(amount: Decimal | str | int, currency: str) -> int:
    """Major units as written on the wire to minor units, exactly; raises MoneyError otherwise.

    "10.5" USD -> 1050; "10.505" USD is refused, because dropping half a cent is a rounding that
    nobody asked for (`rounded_minor` does it where a vendor documents more decimals).
    """
    scaled = _scaled(amount, currency)
    whole = int(scaled)
    if scaled != whole:
        raise MoneyError(f"{amount} {currency} has more than {exponent(currency)} decimals")
    return whole


def rounded_minor(amount: Decimal | str | int, currency: str) -> int:
    """Major units with any number of decimals to minor units, half away from zero.

    Only for values that are *computed* by a vendor with extra decimals (unit price x weight); the
    caller shows the difference as a rounding of its own.
    """
    return int(_scaled(amount, currency).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _scaled(amount: Decimal | str | int, currency: str) -> Decimal:
    try:
        value = amount if isinstance(amount, Decimal) else Decimal(amount)
    except InvalidOperation:
        raise MoneyError(f"{amount!r} is no amount") from None
    if not value.is_finite() or abs(value.adjusted()) > 18:
        raise MoneyError(f"{amount} is no amount of money")
    return value.scaleb(exponent(currency))


def to_text(minor: int, currency: str) -> str:
    """Minor units to the decimal text of the currency: 1050 USD -> "10.50", 5 JPY -> "5"."""
    places = exponent(currency)
    if places == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    whole, part = divmod(abs(minor), 10**places)
    return f"{sign}{whole}.{part:0{places}d}"


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Split minor units by weights with the largest remainder; the parts always sum to the total.

    Ties go to the earlier part. All weights zero: everything lands on the first part. Weights are
    non-negative; an empty list can only carry 0 (raises MoneyError otherwise).
    """
    if not weights:
        if total:
            raise MoneyError(f"{total} cannot be split over nothing")
        return []
    base = sum(weights)
    if base == 0:
        return [total] + [0] * (len(weights) - 1)
    sign, size = (-1, -total) if total < 0 else (1, total)
    parts = [size * weight // base for weight in weights]
    left = size - sum(parts)
    if left:
        order = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % base), i))
        for i in order[:left]:
            parts[i] += 1
    return [sign * part for part in parts]


class Money(msgspec.Struct, frozen=True):
    """An amount where currencies or roles may meet: minor units, ISO 4217 code, role.

    Inside one fact all amounts share the fact's currency and are plain integers; Money is for the
    places where they leave it (settlement, functional currency, presentment).
    """

    minor: int
    currency: str
    role: str = "shop"

    def __add__(self, other: Money) -> Money:
        """Sum; raises MoneyError when currency or role differ."""
        self._same_kind(other)
        return Money(self.minor + other.minor, self.currency, self.role)

    def __sub__(self, other: Money) -> Money:
        """Difference; raises MoneyError when currency or role differ."""
        self._same_kind(other)
        return Money(self.minor - other.minor, self.currency, self.role)

    def __neg__(self) -> Money:
        """The same amount the other way."""
        return Money(-self.minor, self.currency, self.role)

    def __str__(self) -> str:
        """Decimal text with currency, e.g. `10.50 USD`."""
        return f"{to_text(self.minor, self.currency)} {self.currency}"

    def _same_kind(self, other: Money) -> None:
        if (self.currency, self.role) != (other.currency, other.role):
            raise MoneyError(
                f"{self.role} {self.currency} and {other.role} {other.currency} cannot be added"
            )
