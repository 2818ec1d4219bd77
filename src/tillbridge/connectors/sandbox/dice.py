"""Choices that a seed repeats, for the example retailer's day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tillbridge.atoms.ids import SeededIds

T = TypeVar("T")


class Dice:
    """Seeded choices; the same seed and the same questions give the same answers."""

    def __init__(self, seed: int) -> None:
        self._ids = SeededIds(seed)

    def below(self, limit: int) -> int:
        """A whole number from 0 to limit - 1."""
        return int(self._ids.jitter() * limit)

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self._ids.jitter() < probability

    def pick(self, things: Sequence[T]) -> T:
        """One of them."""
        return things[self.below(len(things))]

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """`count` different ones of them, in the order drawn."""
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]

    def hex(self, size: int) -> str:
        """`size` bytes as hex."""
        return self._ids.random_hex(size)

    def uuid(self) -> str:
        """Text in the shape of a UUID."""
        found = self.hex(16)
        return f"{found[:8]}-{found[8:12]}-4{found[13:16]}-a{found[17:20]}-{found[20:]}"
