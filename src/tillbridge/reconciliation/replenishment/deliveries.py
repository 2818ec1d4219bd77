"""What of a delivery may differ from what was ordered: `[[delivery]]` of `rules/stock.toml`. Pure.

    [[delivery]]
    supplier = "Acme"              # or a list; also locations, category, product
    over_percent = 5               # so much more than ordered is taken without a word
    over_pieces = 2                # or so many base units, whichever is more
    under_percent = "2.5"          # less that no more is waited for, and nobody is told of
    under_pieces = 1
    late_days = 3                  # after so many days past its date what lacks is late

Every rule that fits a line of a purchase says its fields, and a later one wins field by field.
Without a rule every difference is told, and lateness only where orders wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tillbridge.atoms.toml_tables import Reader, names, parted, quantity, whole, worded

PERCENT = 100_000
"""Thousandths of a percent in a whole."""
_DAYS_MOST = 366
_WHOM = ("supplier", "locations", "category", "product")
_SAYS: Mapping[str, Reader] = {
    "over_percent": quantity,
    "over_pieces": quantity,
    "under_percent": quantity,
    "under_pieces": quantity,
    "late_days": whole(0, _DAYS_MOST),
}
_WORDS: Mapping[str, Reader] = {**dict.fromkeys(_WHOM, names), **_SAYS}


class DeliveryTerms(msgspec.Struct, frozen=True):
    """What counts for a line of a purchase: thousandths of a percent and of the base unit; days
    past its date after which it is late, None = never for that alone.
    """

    over_percent: int = 0
    over_pieces: int = 0
    under_percent: int = 0
    under_pieces: int = 0
    late_days: int | None = None

    def over(self, expected: int) -> int:
        """How much more than expected may come."""
        return max(expected * self.over_percent // PERCENT, self.over_pieces)

    def under(self, expected: int) -> int:
        """How much less than expected may come."""
        return max(expected * self.under_percent // PERCENT, self.under_pieces)


class DeliveryRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. supplier, locations, category, product: what it is for, () for all; locations are
    spelled out. says: fields of DeliveryTerms.
    """

    supplier: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    says: Mapping[str, int]


class Bought(msgspec.Struct, frozen=True):
    """What decides which rules fit a line of a purchase."""

    supplier: str
    location: str
    category: str
    product: str


def terms_of(rules: Sequence[DeliveryRule], bought: Bought) -> DeliveryTerms:
    """The terms of one line."""
    said: dict[str, int] = {}
    for rule in rules:
        if (
            (not rule.supplier or bought.supplier in rule.supplier)
            and (not rule.locations or bought.location in rule.locations)
            and (not rule.category or bought.category in rule.category)
            and (not rule.product or bought.product in rule.product)
        ):
            said.update(rule.says)
    return msgspec.convert(said, DeliveryTerms)


def read_delivery(words: Mapping[str, Any]) -> tuple[DeliveryRule, list[str]]:
    """A rule as its table says it, and a sentence for each word that means nothing. Its locations
    are as they were written: codes, groups or kinds.
    """
    said, wrong = worded(words, _WORDS, "a delivery rule")
    whom, says = parted(said, _WHOM)
    if not says and not wrong:
        wrong.append(f"it says nothing; one of {', '.join(_SAYS)}")
    return DeliveryRule(**whom, says=says), wrong
