"""What is played: a shelf, who wants what of it, and what each buyer was told in the end."""

from __future__ import annotations

import random
from typing import Literal

import msgspec

Shape = Literal["pieces", "bundles", "carts"]
SHAPES: tuple[Shape, ...] = ("pieces", "bundles", "carts")
BUYERS, PROCESSES = 64, 4
ON_HAND = 20
SAFETY = 3
"""So many pieces more are there, and nobody may have them."""
UNIT = 1000
PLACE = "wh"
CHANNEL = "web"
PART_OF_BOX = {"p": 2, "q": 1}
"""What one box holds of each product, in pieces."""


class Round(msgspec.Struct, frozen=True):
    """One round. first, count: the buyers of one process. Products are the round's own."""

    number: int
    shape: Shape
    seed: int
    first: int = 0
    count: int = BUYERS

    def product(self, name: str) -> str:
        """The SKU of `p`, `q` or `box` in this round."""
        return f"{name}-{self.number}"

    def chance(self, buyer: int) -> random.Random:
        """A buyer's own dice; the same whoever plays him."""
        return random.Random(f"{self.seed}/{self.number}/{buyer}")  # noqa: S311 - to be repeated

    def wish(self, buyer: int) -> tuple[str, int]:
        """What a buyer wants: `p`, `q` or `box`, and how many."""
        if self.shape != "bundles":
            return "p", 1
        dice = self.chance(buyer)
        return dice.choice(("p", "q", "box")), dice.randint(1, 3)


class Outcome(msgspec.Struct, frozen=True):
    """What a buyer was told in the end. key: of his hold, "" when he has none."""

    buyer: int
    ok: bool
    key: str = ""


def wanted(told: Round, buyer: int) -> dict[str, int]:
    """The pieces of each product that a buyer's wish takes, thousandths."""
    name, many = told.wish(buyer)
    parts = PART_OF_BOX if name == "box" else {name: 1}
    return {told.product(part): each * many * UNIT for part, each in parts.items()}
