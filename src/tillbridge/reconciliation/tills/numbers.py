"""Runs of numbers and the gaps between them. Pure.

A day's numbers come as runs without a gap. Where the sequence begins again after its last number,
a day may use 9998, 9999, 1, 2: the day then begins behind the widest hole, seen as on a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

RESTART_SHARE = 2
"""A jump over more than half of a lap is a till that began anew, not numbers that were lost."""


class Run(msgspec.Struct, frozen=True, order=True):
    """Numbers from first to last without a gap (both included; last < first: over the end)."""

    first: int
    last: int


class Lap(msgspec.Struct, frozen=True):
    """Where a sequence begins again. size 0: never."""

    first: int = 1
    size: int = 0

    def distance(self, before: int, after: int) -> int:
        """Steps from one number to a later one."""
        return (after - before) % self.size if self.size else after - before

    def step(self, number: int, by: int) -> int:
        """The number so many steps away."""
        if not self.size:
            return number + by
        return (number + by - self.first) % self.size + self.first


class DayNumbers(msgspec.Struct, frozen=True):
    """First and last number of a day in the order of use, and the holes between them."""

    first: int
    last: int
    gaps: tuple[Run, ...]


def day_numbers(runs: Sequence[Run], lap: Lap) -> DayNumbers:
    """A day's numbers in the order of use. runs: at least one, apart from each other."""
    ordered = sorted(runs)
    if lap.size:
        holes = [
            lap.distance(ordered[place - 1].last, run.first) for place, run in enumerate(ordered)
        ]
        begin = holes.index(max(holes)) if len(ordered) > 1 else 0
        ordered = ordered[begin:] + ordered[:begin]
    gaps = [gap_between(a.last, b.first, lap) for a, b in pairwise(ordered)]
    return DayNumbers(ordered[0].first, ordered[-1].last, tuple(gap for gap in gaps if gap))


def gap_between(before: int, after: int, lap: Lap) -> Run | None:
    """Numbers missing between two that follow each other in use; None when there are none.

    Backwards without a lap, or more than half of a lap forwards: the till began anew.
    """
    distance = lap.distance(before, after)
    if distance <= 1 or (lap.size and distance * RESTART_SHARE > lap.size):
        return None
    return Run(lap.step(before, 1), lap.step(after, -1))


def count(gap: Run, lap: Lap) -> int:
    """How many numbers a gap holds."""
    return lap.distance(gap.first, gap.last) + 1


def each(gap: Run, lap: Lap, most: int) -> list[int]:
    """The gap's numbers, the first `most` of them."""
    return [lap.step(gap.first, by) for by in range(min(count(gap, lap), most))]


def shown(gap: Run) -> str:
    """A gap as people write it: `119` or `119-120`."""
    return str(gap.first) if gap.first == gap.last else f"{gap.first}-{gap.last}"
