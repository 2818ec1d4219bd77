"""Quantities: integers in thousandths of the unit, so that 0.65 lb and 3 pieces are both exact.

Units are UN/ECE Recommendation 20 codes (EA each, KGM kilogram, LBR pound, LTR litre, MTR metre).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

SCALE = 1000
EACH = "EA"


class QuantityError(ValueError):
    """A quantity that cannot be believed: not a number, or finer than a thousandth of its unit."""


def to_thousandths(quantity: Decimal | str | int) -> int:
    """A quantity as written on the wire to thousandths; raises QuantityError when inexact."""
    try:
        value = quantity if isinstance(quantity, Decimal) else Decimal(quantity)
    except InvalidOperation:
        raise QuantityError(f"{quantity!r} is no quantity") from None
    if not value.is_finite() or abs(value.adjusted()) > 12:
        raise QuantityError(f"{quantity} is no quantity")
    scaled = value * SCALE
    if scaled != int(scaled):
        raise QuantityError(f"{quantity} is finer than a thousandth of its unit")
    return int(scaled)


def to_text(thousandths: int) -> str:
    """Thousandths to the shortest decimal text: 3000 -> "3", 650 -> "0.65"."""
    sign = "-" if thousandths < 0 else ""
    whole, part = divmod(abs(thousandths), SCALE)
    return f"{sign}{whole}" if part == 0 else f"{sign}{whole}." + f"{part:03d}".rstrip("0")
