"""Why two sides hold different quantities: named movements that one of them has not seen. Pure.

A movement whose paper the source has not accepted cannot be in its figure. Of the others a source
that is late is late with everything since some instant, so only the newest of them together explain
anything, never an arbitrary choice: any difference could be made up out of enough small sales.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import combinations

import msgspec

OPEN_MOST = 10


class Unseen(msgspec.Struct, frozen=True):
    """A movement that we booked and the other side may not have. quantity: thousandths, signed.

    why: `certain` (it cannot have it), `open` (it may or may not: its answer is on the way),
    `late` (nobody tells it by a paper; it learns of it in its own time).
    """

    what: str
    quantity: int
    at: datetime
    why: str


class Difference(msgspec.Struct, frozen=True):
    """What differs at one shelf. ours, theirs, rest: thousandths; rest: what nothing explains."""

    product: str
    ours: int
    theirs: int
    rest: int
    named: tuple[Unseen, ...]


def explain(product: str, ours: int, theirs: int, unseen: Sequence[Unseen]) -> Difference:
    """The difference with the fewest movements that explain it whole, else with those that must
    be part of it and the rest.
    """
    certain = [one for one in unseen if one.why == "certain"]
    rest = ours - theirs - sum(one.quantity for one in certain)
    choice = _choice(rest, unseen) if rest else []
    named = tuple(sorted([*certain, *(choice or [])], key=lambda one: one.at))
    return Difference(product, ours, theirs, rest if choice is None else 0, named)


def _choice(rest: int, unseen: Sequence[Unseen]) -> list[Unseen] | None:
    """The fewest movements that come to the rest: some whose answer is on the way, and the newest
    of the late ones; None when there are none.
    """
    newest = sorted((one for one in unseen if one.why == "late"), key=lambda one: one.at)[::-1]
    coming = sorted((one for one in unseen if one.why == "open"), key=lambda one: one.at)
    coming = coming[-OPEN_MOST:]
    sums, total = {0: 0}, 0
    for count, one in enumerate(newest, 1):
        total += one.quantity
        sums.setdefault(total, count)
    best: list[Unseen] | None = None
    for size in range(len(coming) + 1):
        for some in combinations(coming, size):
            late = sums.get(rest - sum(one.quantity for one in some))
            if late is not None and (best is None or late + size < len(best)):
                best = [*some, *newest[:late]]
    return best
