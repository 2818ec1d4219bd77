"""What movements of goods are worth by a dated list of standard costs. Pure.

All movements of a product that left under one key (an order, a receipt) are looked at together:
what comes back, comes back at what it left for, so that a sale and its whole return give zero, and
the last piece takes what rounding left. What stands in the inventory is worth what the list says
on the day it came; what is damaged is worth nothing. The result depends on no order of arrival.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import msgspec

from tillbridge.atoms.quantity import SCALE
from tillbridge.canonical.costs import UNIT_SCALE

POLICY = "standard-cost/1"
"""Name and version of this reckoning, as facts tell it."""
SOLD, RETURNED = "sold", "returned"
_PARTS = SCALE * UNIT_SCALE


class Listed(msgspec.Struct, frozen=True, gc=False):
    """A cost of the list: thousandths of a minor unit for one base unit, from a day on."""

    since: date
    unit_cost: int


class CostList:
    """The costs of one product in the books of one entity."""

    def __init__(self, rows: Iterable[Listed] = ()) -> None:
        self._rows = sorted(rows, key=lambda row: row.since)
        self._days = [row.since for row in self._rows]

    def on(self, day: date) -> Listed | None:
        """The cost of a day; None while there is none."""
        place = bisect_right(self._days, day)
        return self._rows[place - 1] if place else None

    def changes(self) -> list[tuple[Listed, Listed]]:
        """Each cost that took the place of another: (before, after)."""
        return list(zip(self._rows, self._rows[1:], strict=False))


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One movement: thousandths, positive came in. kind: of GOODS_KINDS. voided: its receipt was
    taken back whole.
    """

    movement: int
    kind: str
    quantity: int
    day: date
    at: datetime
    damaged: bool = False
    voided: bool = False


class Worth(msgspec.Struct, frozen=True, gc=False):
    """amount: what it takes off its counter-account, minor units signed as the quantity. worth:
    what it puts into the inventory. listed: the cost it was reckoned by, None = what it left for.
    """

    amount: int
    worth: int
    listed: Listed | None = None


NOTHING = Worth(0, 0)


def value_of(quantity: int, unit_cost: int) -> int:
    """Thousandths at a unit cost in minor units, to the nearest, halves away from zero."""
    return nearest(quantity * unit_cost, _PARTS)


def nearest(amount: int, by: int) -> int:
    """A quotient to the nearest whole, halves away from zero; `by` is positive."""
    whole = (2 * abs(amount) + by) // (2 * by)
    return -whole if amount < 0 else whole


def worths(pieces: Sequence[Piece], costs: CostList) -> dict[int, Worth | None]:
    """Worth of each movement of one product under one key; None while a cost is not known."""
    found: dict[int, Worth | None] = {}
    back: list[Piece] = []
    out = out_value = 0
    unknown = False
    for piece in pieces:
        if piece.voided:
            found[piece.movement] = NOTHING
        elif piece.kind == RETURNED:
            back.append(piece)
        else:
            listed = costs.on(piece.day)
            if listed is None:
                found[piece.movement] = None
                unknown = unknown or piece.kind == SOLD
                continue
            amount = value_of(piece.quantity, listed.unit_cost)
            found[piece.movement] = Worth(amount, 0 if piece.damaged else amount, listed)
            if piece.kind == SOLD:
                out, out_value = out - piece.quantity, out_value - amount
    came = 0
    for piece in sorted(back, key=lambda one: (one.at, one.movement)):
        found[piece.movement] = (
            None if unknown else _back(piece, costs.on(piece.day), came, out, out_value)
        )
        came += piece.quantity
    return found


def _back(piece: Piece, listed: Listed | None, came: int, out: int, value: int) -> Worth | None:
    """What came back, at its share of what left; what nobody knows to have left, at the list.

    came: thousandths that came back before. out, value: what left, in thousandths and minor units.
    """
    if listed is None:
        return None
    first, last = min(came, out), min(came + piece.quantity, out)
    amount = nearest(value * last, out) - nearest(value * first, out) if out else 0
    beyond = piece.quantity - (last - first)
    amount += value_of(beyond, listed.unit_cost)
    now = 0 if piece.damaged else value_of(piece.quantity, listed.unit_cost)
    return Worth(amount, now, listed if beyond == piece.quantity else None)
