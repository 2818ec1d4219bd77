"""Deciding reservations: greedy, in order of arrival, all lines of a request or none. Pure.

A clever prefix sum over a window would refuse what fits (20 on hand; asks 30, 5, 5: greedy sells
10, a prefix sum nothing), so this is a plain loop over what is free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from tillbridge.canonical.stock import StockLine

Place = tuple[str, str]  # (location, product)


class Answer(msgspec.Struct, frozen=True):
    """Whether the demand is held, where, and else the first product that lacks."""

    held: bool
    location: str = ""
    lines: tuple[StockLine, ...] = ()
    product: str = ""
    wanted: int = 0
    free: int = 0


def answer(
    lines: Sequence[StockLine],
    locations: Sequence[str],
    held: Sequence[StockLine],
    free: Callable[[Place], int],
) -> Answer:
    """Decide one request.

    lines: what should be held, thousandths. held: what the same key holds now (given back first).
    free: gives on hand less reserved of a place, before giving back.
    A demand that only shrinks what is
    held always stands, where it stood, even if the place has since become short.
    """
    if not lines:
        return Answer(True)
    shrunk = _shrunk(lines, held)
    if shrunk is not None:
        return Answer(True, shrunk[0].location, shrunk)
    back: dict[Place, int] = {}
    for line in held:
        place = (line.location, line.product)
        back[place] = back.get(place, 0) + line.quantity
    demand: dict[str, int] = {}
    for line in lines:
        demand[line.product] = demand.get(line.product, 0) + line.quantity
    lacking: tuple[str, int, int] | None = None
    for location in locations:
        short = _first_short(location, demand, free, back)
        if short is None:
            placed = tuple(
                StockLine(line.line, line.product, line.quantity, location) for line in lines
            )
            return Answer(True, location, placed)
        lacking = lacking or short
    product, wanted, left = lacking or (lines[0].product, demand[lines[0].product], 0)
    return Answer(False, product=product, wanted=wanted, free=left)


def _shrunk(lines: Sequence[StockLine], held: Sequence[StockLine]) -> tuple[StockLine, ...] | None:
    """The held lines cut down to the demand, when every line is already held at least so far."""
    by_line = {line.line: line for line in held}
    kept = []
    for line in lines:
        have = by_line.get(line.line)
        if have is None or have.product != line.product or have.quantity < line.quantity:
            return None
        kept.append(StockLine(line.line, line.product, line.quantity, have.location))
    return tuple(kept)


def _first_short(
    location: str,
    demand: Mapping[str, int],
    free: Callable[[Place], int],
    back: Mapping[Place, int],
) -> tuple[str, int, int] | None:
    for product, wanted in demand.items():
        place = (location, product)
        left = free(place) + back.get(place, 0)
        if left < wanted:
            return product, wanted, left
    return None
